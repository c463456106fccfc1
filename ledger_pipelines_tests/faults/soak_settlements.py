"""A day in the life of settlements, for the drill `soak`: files arrive and come again, somebody edits, the program runs and ends.

Belongs here: what happens in such a day and how its books are judged. Does not belong here: how long it lasts, what leaks
(`soak_day`).

The judge reads the sandbox's own books: each order paid once, each refund credited and paid out once, one journal a
settlement, the clearing account at 0.00, what was deposited on the bank's; no customer more than there were.
"""

from __future__ import annotations

from decimal import Decimal

from ledger_pipelines_tests.faults.drill_books import doubles
from ledger_pipelines_tests.faults.settlement_entry import hurry
from ledger_pipelines_tests.faults.soak_day import CALM, PARKED, Day
from ledger_pipelines_tests.generate import SettlementFile, many
from ledger_pipelines_tests.stage import BANK, CLEARING, PAYABLE, WINDOW, Stage


class SettlementDay(Day[Stage]):
    """Settlements arrive."""

    def begin(self) -> None:
        """The demo's books."""
        hurry(self.stage)
        self.files: dict[str, SettlementFile] = {}
        self.customers = self._customers()
        self.acts = [
            (self._arrives, 3), (self._runs, 6), (self._again, 1), (self._edited, 1), (self.restart, 1),
            (self._time, 2),
        ]  # fmt: skip

    @property
    def pieces(self) -> int:
        """Settlements so far."""
        return len(self.files)

    # --- what happens ----------------------------------------------------------------------------------------------

    def _arrives(self) -> None:
        self.calm_line()
        number = len(self.files) + 1
        file = many(
            self.chooser.randint(2, 9), seed=number, settlement_id=f"2699{number:07d}", refunds=Decimal("0.3"),
            merchant=Decimal("0.2"),
        )  # fmt: skip
        self.stage.arrive(file.v2(), name=f"settlement-{number}.txt")
        self.files[file.settlement_id] = file
        self._runs(file.settlement_id)

    def _runs(self, settlement_id: str = "") -> None:
        if not self.files:
            self._arrives()
            return
        chosen = settlement_id or self.chooser.choice(list(self.files))
        path = self.chooser.choice([self.entry.path, "."])
        self.trouble({"vendor": self.entry.target, "path": path})
        self.attempt("runs", lambda: self.stage.run(chosen))
        self.calm_line()

    def _again(self) -> None:
        """An old file comes once more: nothing is new."""
        if self.files:
            chosen = self.chooser.choice(list(self.files.values()))
            outcome = self.stage.receive(chosen.v2(), f"again-{self.told['rounds']}.txt")
            if not outcome.accepted:
                self.problems.append(
                    f"the file of settlement {chosen.settlement_id} was refused: {outcome.message}"
                )
            self.told["files again"] += 1

    def _edited(self) -> None:
        """Somebody writes a note on a document of the books."""
        invoices = self.stage.books().records("invoice")
        if invoices:
            record = str(self.chooser.choice(invoices)["id"])
            self.stage.change("invoice", record, {"memo": f"seen {self.told['rounds']}"})
            self.told["edits"] += 1

    def _time(self) -> None:
        self.stage.clock.jump(self.chooser.choice([1, 15, WINDOW + 1, 3700, PARKED]))

    # --- the end of the day ----------------------------------------------------------------------------------------

    def calm(self) -> None:
        """Once nothing fails any more, everything ends in a few runs."""
        open_ = list(self.files)
        for _ in range(CALM):
            self.stage.clock.jump(PARKED)
            open_ = [one for one in open_ if self.stage.run(one).exit_code != 0]
            if not open_ and not self.stage.unfinished():
                return
        self.problems.append(f"still open: {', '.join(open_) or 'none'}, {self.stage.unfinished()} effects")

    def judge(self) -> tuple[int, int]:
        """Read the books: how many documents are lost, how many doubled."""
        books = self.stage.books()
        twice = doubles(books.external_ids())
        self.problems += [f"external id twice: {name}" for name in twice]
        lost, doubled = 0, len(twice)
        for settlement_id, file in self.files.items():
            wanted = expected(file)
            for kind, least in wanted.items():
                made = len(books.ours(kind, settlement_id))
                lost, doubled = lost + max(0, least - made), doubled + max(0, made - least)
                if made != least:
                    self.problems.append(f"settlement {settlement_id}: {made} {kind} instead of {least}")
            posted = books.posted(settlement_id, CLEARING[file.currency])
            if posted:
                self.problems.append(f"settlement {settlement_id} leaves {posted} in clearing")
            account, due = (BANK[file.currency], file.total) if file.total >= 0 else (PAYABLE, file.total)
            deposited = books.posted(settlement_id, account)
            if deposited != due:
                self.problems.append(f"settlement {settlement_id} of {due}: {deposited} on account {account}")
        if self._customers() != self.customers:
            self.problems.append(f"{self._customers()} customers, at the beginning {self.customers}")
        return lost, doubled

    def _customers(self) -> int:
        """How many there are: the integration makes none."""
        return len(self.stage.books().records("customer"))


def expected(file: SettlementFile) -> dict[str, int]:
    """Documents a settlement has to make: a payment an order, a credit memo and a refund a refund, one journal."""
    orders = {group.order_id for group in file.groups if group.transaction_type == "Order"}
    refunds = sum(group.transaction_type == "Refund" for group in file.groups)
    return {
        "customerPayment": len(orders),
        "creditMemo": refunds,
        "customerRefund": refunds,
        "journalEntry": 1,
    }
