"""Opening an integration by days, whatever its kind.

Belongs here: which kinds there are, a line each. Does not belong here: what an integration does. A kind's service is imported when
one of its integrations is opened: what it needs is heavy.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.config.models import Finding
from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.integrations.by_day.service import ByDay

AnyByDay = ByDay[Any, Any, Any]
BY_DAY: Final = ("neto_cin7", "neto_saasu")
"""Kinds that go by days; the others go by settlements."""


class _Kind(Protocol):
    """What the module `service` of a kind has."""

    def build_service(
        self, loaded: LoadedConfig, name: str, *, clock: Clock | None = None, run_id: str = ""
    ) -> AnyByDay:
        """The integration of that name. Raises ConfigurationError."""
        ...

    def warnings_of(self, loaded: LoadedConfig, name: str) -> list[Finding]:
        """What a person should know before a run."""
        ...


def _service_of(kind: str) -> _Kind:
    match kind:
        case "neto_cin7":
            from ledger_pipelines.integrations.neto_cin7 import service as neto_cin7  # noqa: PLC0415 (heavy)

            return neto_cin7
        case "neto_saasu":
            from ledger_pipelines.integrations.neto_saasu import service as neto_saasu  # noqa: PLC0415 (heavy)

            return neto_saasu
        case _:
            raise ConfigurationError(
                f"{kind} goes by settlements, not by days.", remedy=f"By days go: {', '.join(BY_DAY)}."
            )


def is_by_day(loaded: LoadedConfig, name: str) -> bool:
    """Whether it goes by days, not by settlements. Raises ConfigurationError: there is no such integration."""
    return loaded.config.integration(name).kind in BY_DAY


def open_by_day(loaded: LoadedConfig, name: str, *, clock: Clock | None = None, run_id: str = "") -> AnyByDay:
    """The integration `name` of a configuration.

    Raises:
        ConfigurationError: there is none, it was left out, or it goes by settlements.
    """
    kind = loaded.config.integration(name).kind
    return _service_of(kind).build_service(loaded, name, clock=clock, run_id=run_id)


def warnings_of(loaded: LoadedConfig, name: str) -> list[Finding]:
    """What a person should know before a run of an integration by days. No call is made."""
    return _service_of(loaded.config.integration(name).kind).warnings_of(loaded, name)
