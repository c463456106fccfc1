"""What a vendor of the sandbox is, what it is given, and which vendors there are.

Belongs here: the interface, the context, the registry with the ports. To add a vendor, add one entry to
:data:`REGISTRY`. Does not belong here: any vendor's behaviour.
"""

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Scope

from ledger_pipelines.sandbox.calls import CallLog
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.faults import FaultSpec, VendorFaults
from ledger_pipelines.sandbox.state import StateStore

CALL = "ledger.sandbox.call"


@dataclass(frozen=True)
class SandboxContext:
    """What a vendor is built with. ``base_url`` has no slash at its end; ``seed`` is "demo" or "empty"."""

    clock: SandboxClock
    faults: VendorFaults
    calls: CallLog
    store: StateStore
    base_url: str
    seed: str


@dataclass(frozen=True)
class CallInfo:
    """What the sandbox knows of a call: when it came in (sandbox time), and the vendor's own faults that fired on it.

    Credentials are checked against ``received_at``: a request that is applied late was signed when it came.
    """

    received_at: datetime
    faults: Sequence[FaultSpec] = field(default=())

    def fault(self, kind: str) -> FaultSpec | None:
        """The fault of this (vendor's own) kind that fired on the call, if one did."""
        return next((spec for spec in self.faults if spec.kind == kind), None)


def call_info(scope: Scope) -> CallInfo:
    """The :class:`CallInfo` of the request with this ASGI scope."""
    info: CallInfo = scope["extensions"][CALL]
    return info


class Vendor(Protocol):
    """One vendor's servers. ``extra_faults``: fault kinds that it handles itself, through :func:`call_info`.

    A constructor makes what it needs in the store; it does not seed: :meth:`reset` does, and is called by the server
    when the state is new.
    """

    name: str
    port_offset: int
    extra_faults: frozenset[str]

    @property
    def app(self) -> ASGIApp:
        """The ASGI application, at the root path that the vendor uses."""
        ...

    def credentials(self) -> dict[str, object]:
        """What a client needs: base URL, ids, secrets. Fixed, documented and fake."""
        ...

    def dump(self) -> object:
        """All state as JSON-able values, for verdicts."""
        ...

    def reset(self, seed: str) -> None:
        """Forget everything and begin with ``seed``: "demo" or "empty"."""
        ...

    def path_pattern(self, path: str) -> str:
        """``path`` with its ids replaced by ``{id}``."""
        ...

    def error_response(self, kind: str, status: int, request: Request, retry_after: int | None) -> Response:
        """The vendor's own 429 or 5xx answer for an injected fault."""
        ...


@runtime_checkable
class HasControlRoutes(Protocol):
    """A vendor with routes of its own on the control port, under ``/{name}``."""

    def control_routes(self) -> list[BaseRoute]:
        """The routes, with paths relative to ``/{name}``."""
        ...


@runtime_checkable
class HasTrialBalance(Protocol):
    """A vendor with books."""

    def trial_balance(self) -> object:
        """JSON-able trial balance; amounts as text."""
        ...


@runtime_checkable
class HasLedger(Protocol):
    """A vendor that keeps stock and sales, but no books."""

    def ledger(self) -> object:
        """JSON-able stock and sales with their totals, worked out anew; amounts as text."""
        ...


@runtime_checkable
class HasCache(Protocol):
    """A vendor that keeps parts of the store in memory."""

    def reload(self) -> None:
        """Read the store again, after it was put back to a snapshot."""
        ...


@runtime_checkable
class HasLateWork(Protocol):
    """A vendor that does some of its work at an hour of the sandbox's clock."""

    def catch_up(self) -> None:
        """Do what is due, after the clock was set."""
        ...


def plain_error_response(status: int, retry_after: int | None) -> Response:
    """An error answer for a vendor that has no shape of its own for it."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JSONResponse({"error": status}, status_code=status, headers=headers)


@dataclass(frozen=True)
class VendorEntry:
    """A vendor's name, its port's distance from the control port, and where its class is."""

    name: str
    port_offset: int
    module: str
    class_name: str

    def build(self, context: SandboxContext) -> Vendor:
        """Import the vendor's package and build it."""
        factory: Callable[[SandboxContext], Vendor] = getattr(
            importlib.import_module(self.module), self.class_name
        )
        return factory(context)


RESERVED_PORTS = {"neto": 1, "saasu": 2, "cin7": 3, "graph": 4, "splynx": 5, "netsuite": 6, "amazon": 7}
"""Distance of each vendor's port from the control port; the ones without an entry below are kept free."""

_PACKAGE = "ledger_pipelines.sandbox"

REGISTRY: tuple[VendorEntry, ...] = (
    VendorEntry("neto", RESERVED_PORTS["neto"], f"{_PACKAGE}.neto", "NetoVendor"),
    VendorEntry("saasu", RESERVED_PORTS["saasu"], f"{_PACKAGE}.saasu", "SaasuVendor"),
    VendorEntry("cin7", RESERVED_PORTS["cin7"], f"{_PACKAGE}.cin7", "Cin7Vendor"),
    VendorEntry("netsuite", RESERVED_PORTS["netsuite"], f"{_PACKAGE}.netsuite", "NetSuiteVendor"),
    VendorEntry("amazon", RESERVED_PORTS["amazon"], f"{_PACKAGE}.amazon", "AmazonVendor"),
)


def available() -> list[VendorEntry]:
    """The entries whose package is there."""
    found = [(entry, importlib.util.find_spec(entry.module)) for entry in REGISTRY]
    return [entry for entry, spec in found if spec is not None and spec.origin is not None]
