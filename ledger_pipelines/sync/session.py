"""What one run of the engine carries with it, and the books it may touch.

Belongs here: the run's fence, clock, counters, and parking of its connection. Does not belong here: any step of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import Mode, Writer
from ledger_pipelines.storage.journal import Event, Journal, Parked, Unit
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.sync.states import Policy


@dataclass(slots=True)
class Session:
    """One run. fence: its number in the journal. owner: the lease holder's name. who: for the log. calls: of each call that
    writes the key of its first record."""

    journal: Journal
    writer: Writer
    clock: Clock
    policy: Policy
    random: Random
    mode: Mode
    fence: int
    owner: str
    who: str
    written: set[str] = field(default_factory=set)
    adopted: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    trouble: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    probes: int = 0
    trial: bool = False
    parked: Reason | None = None
    stopped: Reason | None = None

    @property
    def sends(self) -> int:
        """Calls that write, so far."""
        return len(self.calls)

    @property
    def connection(self) -> str:
        """The connection written to."""
        return self.writer.connection

    def event(self, key: str, what: str, before: str, after: str, why: str = "") -> Event:
        """A line for the log."""
        return Event(f"{self.who} (apply {self.fence})", key, what, before, after, why)

    def park(self, unit: Unit, text: str, now: datetime) -> None:
        """Let nobody write to the connection until its credentials work. Once a run."""
        if self.parked is not None:
            return
        self.parked = parked_reason(self.connection, text, now + self.policy.park_for)
        unit.parking.put(Parked(self.connection, now, now + self.policy.park_for, "credentials", text))
        unit.events.append([self.event(f"connection:{self.connection}", "parked", "", "parked", text)], now)

    def unpark(self, unit: Unit, now: datetime) -> None:
        """The credentials work again."""
        self.trial = False
        if unit.parking.remove(self.connection):
            unit.events.append(
                [
                    self.event(
                        f"connection:{self.connection}",
                        "unparked",
                        "parked",
                        "",
                        "The target accepts us again.",
                    )
                ],
                now,
            )


def parked_reason(connection: str, text: str, until: datetime) -> Reason:
    """Why nothing is written to a parked connection."""
    return Reason(
        "connection-parked",
        f"{connection} refuses our credentials or rights: {text}",
        f"Renew them, then run `check`; one call is tried again by itself after {until:%Y-%m-%d %H:%M} UTC.",
    )
