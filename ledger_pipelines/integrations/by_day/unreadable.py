"""Stored records that cannot be read: each stops what rests on it, and nothing else.

Belongs here: the error that names such a record, and deciding subjects one by one so that those which rest on one become rows that
wait. Does not belong here: decoding, and passing over such records (`stored`), which records a flow looks at.

Looking one up raises: what is there and cannot be read must never be taken for what is not there, or it would be made a second time.
Only what is about many records at once (counts, comparisons) passes over it (`stored.readable`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol, TypeVar

from ledger_pipelines.documents.keys import digest
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.errors import DataError
from ledger_pipelines.sync.plan import PlanRow

T = TypeVar("T")
UNREADABLE: Final = "unreadable-record"
"""Code of a row that waits for a record that cannot be read."""
ITSELF: Final = "It goes by itself in the run after that."


class UnreadableError(DataError):
    """A stored record that cannot be read.

    Args:
        what: Its entity.
        key: Its key in the snapshot.
        content: The record as it is stored: whoever says something of it says it of this content.
        cause: What of it cannot be read, and what to do.
    """

    default_code = UNREADABLE

    def __init__(self, what: str, key: str, content: str, cause: DataError) -> None:
        super().__init__(cause.message, remedy=cause.remedy)
        self.what, self.key = what, key
        self.digest = digest(content)


class WaitingRow(Protocol):
    """Makes the row of what rests on a record that cannot be read."""

    def unreadable(
        self, error: UnreadableError, number: str, title: str, *, of: str = "", until: str = ""
    ) -> PlanRow:
        """As `context.DayContext.unreadable`."""
        ...


def order_named(order: SalesDocument) -> tuple[str, str]:
    """An order, for `one_by_one`."""
    return order.number, f"Order {order.number}"


def payments_named(order: SalesDocument) -> tuple[str, str]:
    """The payments of an order, for `one_by_one`."""
    return order.number, f"Payments of order {order.number}"


def one_by_one(
    ctx: WaitingRow,
    subjects: Iterable[T],
    decide: Callable[[T], Iterable[PlanRow]],
    named: Callable[[T], tuple[str, str]],
    until: str = "",
) -> Iterator[PlanRow]:
    """Rows of each subject; one that rests on a record which cannot be read has a row that says so, and the others go on.

    Args:
        decide: The rows of one.
        named: Its number and its title, for people.
        until: What is so until it goes on.
    """
    for subject in subjects:
        try:
            made = list(decide(subject))
        except UnreadableError as error:
            number, title = named(subject)
            yield ctx.unreadable(error, number, title, of=title, until=until)
        else:
            yield from made
