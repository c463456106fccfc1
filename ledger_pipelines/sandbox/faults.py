"""The fault plan: which call goes wrong, how, and what has gone wrong so far.

Belongs here: the rules (by call number, every k-th, by seeded rate) and their bookkeeping. Does not belong here: what
a fault does to a connection (``gate``), nor what a vendor's own kind of fault does (the vendor).
Kinds and their meaning: reference reliability.md section 6, netsuite.md section 11 point 10.
"""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from ledger_pipelines.sandbox.clock import SandboxClock

Header = tuple[bytes, bytes]

CORE_KINDS: dict[str, str] = {
    "refuse": "the connection is reset before the request body is read; nothing is applied",
    "429": "the vendor's too-many-requests answer, with `retry_after` as Retry-After if given; not applied",
    "5xx_before": "the vendor's answer for `status` (500, 502, 503, 504); not applied",
    "5xx_after": "applied, then the vendor's answer for `status`",
    "hang": "no byte for `seconds` real seconds, then the connection is closed; applied first if `applied`",
    "cut_before": "the request is read, the connection is closed with no byte; not applied",
    "cut_after": "applied, then the connection is closed with no byte",
    "apply_late": "the connection is closed with no byte (after `hang_seconds` real seconds); applied `seconds` later "
    "by the sandbox's clock",
    "search_lag": "records made while the fault is set show in searches only `seconds` after they were made",
    "truncated_body": "applied, then the headers and half of the body's bytes, then the connection is closed",
    "html_200": "an HTML page of a gateway with status 200; applied first if `applied`",
    "apply_twice": "applied twice, as a proxy that sends again would; the first answer is given",
    "slow": "applied and answered, `seconds` real seconds late",
    "drip": "applied, then the body comes in ten pieces over `seconds` real seconds",
    "spoilt_record": "applied and answered, with `value` in place of field `name` of the record that has `record` in a field of its own",
}


class FaultSpec(BaseModel):
    """One rule. Without ``nth``, ``every`` or ``rate`` every matching call goes wrong, at most ``times`` of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vendor: str
    kind: str
    method: str | None = Field(None, description="HTTP method; any when absent")
    path: str | None = Field(None, description="regular expression searched in `path?query`; any when absent")
    header: str | None = Field(
        None,
        description="regular expression searched in each header's `name: value`, names in lower case; any when absent",
    )
    nth: int | list[int] | None = Field(
        None, description="matching calls counted from 1 since the fault was set"
    )
    every: int | None = Field(None, ge=1)
    rate: float | None = Field(None, ge=0, le=1)
    seed: int = 0
    times: int | None = Field(None, ge=1, description="at most so often")
    status: int = Field(500, ge=400, le=599)
    seconds: float = Field(0, ge=0)
    hang_seconds: float = Field(0, ge=0)
    retry_after: int | None = None
    applied: bool = False
    message: str | None = Field(None, description="for a vendor's own kinds")
    record: str = Field("", description="for `spoilt_record`: its id, or number")
    name: str = Field("", description="for `spoilt_record`: the field")
    value: str = Field("", description="for `spoilt_record`: what the field says")

    @field_validator("kind", mode="before")
    @classmethod
    def _kind_as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value

    @field_validator("path", "header")
    @classmethod
    def _compiles(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(
                    f"{info.field_name} {value!r} is not a regular expression: {error}"
                ) from error
        return value

    @model_validator(mode="after")
    def _one_trigger(self) -> "FaultSpec":
        if sum(value is not None for value in (self.nth, self.every, self.rate)) > 1:
            raise ValueError("give one of nth, every and rate, not several")
        return self


@dataclass(frozen=True)
class Firing:
    """One time a fault fired: the number of the matching call, and what it was."""

    call: int
    method: str
    path: str
    at: datetime


@dataclass
class Fault:
    """A rule that is set, with its counters."""

    id: int
    spec: FaultSpec
    set_at: datetime
    matched: int = 0
    firings: list[Firing] = field(default_factory=list)
    fired: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.spec.seed)

    def matches(self, vendor: str, method: str, target: str, headers: Iterable[Header]) -> bool:
        """Whether the rule is about this call."""
        spec = self.spec
        return (
            spec.vendor == vendor
            and (spec.method is None or spec.method.upper() == method)
            and (spec.path is None or re.search(spec.path, target) is not None)
            and (spec.header is None or any(re.search(spec.header, _line(one)) for one in headers))
        )

    def count_and_decide(self, method: str, target: str, now: datetime) -> bool:
        """Count a matching call; whether the fault fires on it."""
        self.matched += 1
        spec = self.spec
        if spec.nth is not None:
            due = self.matched in ([spec.nth] if isinstance(spec.nth, int) else spec.nth)
        elif spec.every is not None:
            due = self.matched % spec.every == 0
        elif spec.rate is not None:
            due = self._random.random() < spec.rate
        else:
            due = True
        if not due or (spec.times is not None and self.fired >= spec.times):
            return False
        self.record(method, target, now)
        return True

    def record(self, method: str, target: str, now: datetime) -> None:
        """Note that the fault fired (the first hundred are kept in detail)."""
        self.fired += 1
        if len(self.firings) < 100:
            self.firings.append(Firing(self.matched, method, target, now))

    def as_json(self) -> dict[str, object]:
        """The rule and its counters."""
        return {
            "id": self.id,
            **self.spec.model_dump(exclude_none=True),
            "set_at": self.set_at.isoformat(),
            "matched": self.matched,
            "fired": self.fired,
            "firings": [
                {"call": f.call, "method": f.method, "path": f.path, "at": f.at.isoformat()}
                for f in self.firings
            ],
        }


def _line(header: Header) -> str:
    return b": ".join(header).decode("latin-1")


class UnknownFaultError(ValueError):
    """The kind or the vendor of a fault does not exist; the text lists those that do."""


class Faults:
    """All faults that are set. A vendor's own kinds are declared with :meth:`declare`."""

    def __init__(self, clock: SandboxClock):
        self._clock = clock
        self._faults: list[Fault] = []
        self._extra: dict[str, frozenset[str]] = {}
        self._of_parts: set[tuple[str, str]] = set()
        self._next_id = 1

    def declare(self, vendor: str, extra_kinds: frozenset[str]) -> None:
        """Make a vendor known, with the kinds of fault that it handles itself."""
        self._extra[vendor] = extra_kinds

    def of_parts(self, vendor: str, kinds: Iterable[str]) -> None:
        """Kinds of the vendor's own that befall what it does inside of a call, or after it: it asks for them by :meth:`on_part`."""
        self._of_parts.update((vendor, kind) for kind in kinds)

    def add(self, spec: FaultSpec) -> Fault:
        """Set a fault. Raises :class:`UnknownFaultError`."""
        if spec.vendor not in self._extra:
            raise UnknownFaultError(f"no vendor {spec.vendor!r}; there are {', '.join(sorted(self._extra))}")
        known = set(CORE_KINDS) | self._extra[spec.vendor]
        if spec.kind not in known:
            raise UnknownFaultError(
                f"no fault kind {spec.kind!r} for {spec.vendor}; there are {', '.join(sorted(known))}"
            )
        fault = Fault(self._next_id, spec, self._clock.now())
        self._next_id += 1
        self._faults.append(fault)
        return fault

    def clear(self, vendor: str | None = None) -> None:
        """Remove all faults, or those of one vendor."""
        self._faults = [f for f in self._faults if vendor is not None and f.spec.vendor != vendor]

    def as_json(self) -> list[dict[str, object]]:
        """Every fault with what fired."""
        return [fault.as_json() for fault in self._faults]

    def on_call(
        self, vendor: str, method: str, target: str, headers: Iterable[Header] = ()
    ) -> tuple[FaultSpec | None, list[FaultSpec]]:
        """Count the call on every rule; the first core fault that fires, and the vendor's own ones that do."""
        core: FaultSpec | None = None
        own: list[FaultSpec] = []
        for fault in self._faults:
            spec = fault.spec
            if spec.kind == "search_lag" or (spec.vendor, spec.kind) in self._of_parts:
                continue
            if not fault.matches(vendor, method, target, headers):
                continue
            if fault.spec.kind in CORE_KINDS:
                if core is None and fault.count_and_decide(method, target, self._clock.now()):
                    core = fault.spec
                elif core is not None:
                    fault.matched += 1
            elif fault.count_and_decide(method, target, self._clock.now()):
                own.append(fault.spec)
        return core, own

    def on_part(self, vendor: str, kind: str, method: str, target: str) -> FaultSpec | None:
        """Count a part on every rule of this kind; the first that fires. ``header`` does not count: a part has none."""
        fired = [
            fault.spec
            for fault in self._faults
            if fault.spec.kind == kind
            and fault.matches(vendor, method, target, ())
            and fault.count_and_decide(method, target, self._clock.now())
        ]
        return fired[0] if fired else None

    def search_visible_at(self, vendor: str, created: datetime) -> datetime:
        """When a record made at ``created`` shows in searches: later while a ``search_lag`` is set."""
        visible = created
        for fault in self._faults:
            spec = fault.spec
            if spec.kind == "search_lag" and spec.vendor == vendor and created >= fault.set_at:
                later = created + timedelta(seconds=spec.seconds)
                if later > self._clock.now():
                    fault.matched += 1
                    fault.record("SEARCH", created.isoformat(), self._clock.now())
                visible = max(visible, later)
        return visible


@dataclass(frozen=True)
class VendorFaults:
    """The faults as one vendor sees them."""

    vendor: str
    faults: Faults

    def search_visible_at(self, created: datetime) -> datetime:
        """When a record made at ``created`` (aware) shows in searches; ``created`` itself without a ``search_lag``."""
        return self.faults.search_visible_at(self.vendor, created)

    def of_parts(self, kinds: Iterable[str]) -> None:
        """Kinds of its own that befall parts of calls."""
        self.faults.of_parts(self.vendor, kinds)

    def on_part(self, kind: str, method: str, target: str) -> FaultSpec | None:
        """The fault of this kind that befalls a part, if one does."""
        return self.faults.on_part(self.vendor, kind, method, target)
