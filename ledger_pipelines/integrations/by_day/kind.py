"""What an integration by days has to give: what it reads, decides and writes, and what the order of steps knows of both sides.

Belongs here: what is asked of an integration, and the little it may leave out. Does not belong here: the order of steps (`service`), what
any integration answers (its own `service`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar, Generic, Protocol, TypeVar

from ledger_pipelines.documents.effects import Writer
from ledger_pipelines.integrations.by_day.context import DayContext
from ledger_pipelines.integrations.by_day.initial import Found
from ledger_pipelines.integrations.by_day.readings import Side
from ledger_pipelines.integrations.open_items import OpenItem
from ledger_pipelines.sync.guards import Guard
from ledger_pipelines.sync.plan import Plan, PlanRow
from ledger_pipelines.sync.result import ApplyResult
from ledger_pipelines.systems.http import CallCount
from ledger_pipelines.systems.quota import Spent


class Mirror(Protocol):
    """Both sides as last read, as far as the order of steps depends on it."""

    def tokens(self, day: date) -> dict[str, str]:
        """Inputs of the plans of a day: digests of what the files of its source records hold, "" = never fetched."""
        ...

    def days(self) -> list[date]:
        """Days of which the source was ever read, in order."""
        ...


class Client(Protocol):
    """An opened connection."""

    def calls(self) -> Iterable[CallCount]:
        """Calls so far by method and path pattern."""
        ...

    def spent(self) -> Spent:
        """Where the account stands with today's calls."""
        ...

    def close(self) -> None:
        """Close what was opened."""
        ...


F = TypeVar("F", bound=Found)
R = TypeVar("R")
"""The view of a reconciliation (`reports`)."""


class Kind(ABC, Generic[F, R]):
    """What one integration says of itself, by overriding: what it reads (`sides`), what it decides (`context`, `rows`), who writes
    (`writer`), and what belongs together from the start (`found`)."""

    KIND: ClassVar[str]
    ALL_FLOWS: ClassVar[Sequence[str]]
    """All flows of the kind, in the order they run."""
    CLIENTS: ClassVar[tuple[str, str]]
    """Names of the cached properties that are the clients of source and target: counted and closed where they were opened."""
    TOGETHER: ClassVar[frozenset[str]] = frozenset()
    """Flows whose days may share calls: their writer takes several records in one, and no day's plan rests on what an earlier
    day writes, but for records that both want."""
    COMES_BY_ITSELF: ClassVar[frozenset[str]] = frozenset()
    """Reasons that pass without the source changing anything on the day: such a day is planned again by every run."""

    @property
    @abstractmethod
    def flows(self) -> tuple[str, ...]:
        """The flows that are on, in the order they run."""

    @property
    @abstractmethod
    def mirror(self) -> Mirror:
        """Both sides as last read."""

    @property
    @abstractmethod
    def accounts(self) -> tuple[str, str]:
        """Identities of the accounts behind source and target."""

    @property
    @abstractmethod
    def settings_digest(self) -> str:
        """Of the settings: a plan made under others is stale."""

    @abstractmethod
    def writer(self, flow: str) -> Writer:
        """Who carries a flow's plan out. Raises ConfigurationError when a credential's variable is missing."""

    @abstractmethod
    def writes_to(self, flow: str) -> str:
        """The connection a flow writes to."""

    @abstractmethod
    def settle_window(self, connection: str) -> timedelta:
        """How long a connection may still be working on a request whose answer was lost."""

    @abstractmethod
    def guards(self) -> Sequence[Guard]:
        """What every plan is held to before anything is written."""

    @abstractmethod
    def sides(self, *, whole: bool) -> Iterable[Side]:
        """Source, then target, each opened when it is read. whole: for the initial sync."""

    @abstractmethod
    def reach(self) -> timedelta:
        """How far before the first day the initial sync reads documents."""

    @abstractmethod
    def young(self) -> Mapping[str, timedelta]:
        """How old lists without a time of change may get, by entity, where it is not a day."""

    @abstractmethod
    def found(self) -> F:
        """What both sides have in common, from what was read last. No call."""

    @property
    @abstractmethod
    def found_type(self) -> type[F]:
        """Of what `found` returns."""

    @abstractmethod
    def context(self, day: date, exported: Plan | None = None) -> DayContext:
        """Everything decisions of a day are made from, as stored now."""

    @abstractmethod
    def rows(self, flow: str, day: date, exported: Plan | None) -> Iterable[PlanRow]:
        """The rows of a flow's plan of a day, as they come out now. A key may come twice: the first counts."""

    @abstractmethod
    def reconcile(self, first: date, last: date) -> R:
        """Both sides compared as they were last read, over some days. Makes no call."""

    @abstractmethod
    def page(self, figures: R) -> str:
        """The reconciliation as the page an accountant reads, HTML."""

    def traces(self) -> Sequence[str]:
        """References that only this program gives, of documents that the target held when it was read last. No call."""
        return ()

    def doubles(self) -> Sequence[OpenItem]:
        """Documents of ours that the target has more than once, by what was read last; no call. A person decides."""
        return ()

    def falls_back(self, result: ApplyResult) -> bool:
        """Whether something was refused that is to be planned and tried in another form at once."""
        del result
        return False

    def paired(self) -> None:
        """The pairs are other ones now: forget what was kept of them."""
