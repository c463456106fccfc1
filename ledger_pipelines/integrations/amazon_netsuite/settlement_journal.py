"""Flow 5, the settlement journal: the deposit, the fees, the reserves, and the clearing account back to zero.

Belongs here: the journal's lines and their months (celigo-amazon-netsuite.md 2.5, 8.1, 8.7). Does not belong here:
payments and refunds.

Every amount of the file is booked once: claimed amounts leave the clearing account, everything else goes to the
account its kind is mapped to. The entry balances because the file foots; there is no plug line, and an entry that
would not balance is not planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger_pipelines.documents.dates import Month
from ledger_pipelines.documents.effects import Action, EffectState, Expected, Mode
from ledger_pipelines.documents.keys import Json, external_id
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.settlement import Component, Kind, TransactionClass
from ledger_pipelines.integrations.amazon_netsuite.amounts import claimed_by_month, journaled_kinds
from ledger_pipelines.integrations.amazon_netsuite.context import Context, Known
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decision, from_journal
from ledger_pipelines.integrations.amazon_netsuite.payments import PAYMENT
from ledger_pipelines.integrations.amazon_netsuite.readback import JOURNAL
from ledger_pipelines.integrations.amazon_netsuite.refunds import CUSTOMER_REFUND, RESTOCKING
from ledger_pipelines.integrations.amazon_netsuite.settings import OpenGroups, RestockingFee
from ledger_pipelines.integrations.amazon_netsuite.worklist import (
    CASH_SALE_IN_CLEARING,
    GroupState,
    amount_text,
    no_currency,
)
from ledger_pipelines.sync.plan import PlanRow, Reason

FLOW = "settlement_journal"
DEPOSITED = "Amount deposited by Amazon"
TRANSACTIONS = "Total transaction amount"
FORWARD_IN = "Carried forward from the month before"
FORWARD_OUT = "Carried forward to the next month"
TAX = "marketplace tax"
_TAX_CATEGORIES = frozenset({"tax_collected", "tax_withheld"})
_TRANSACTION_CLASSES = frozenset(
    {
        TransactionClass.ORDER,
        TransactionClass.REFUND,
        TransactionClass.CHARGEBACK,
        TransactionClass.RETROCHARGE,
    }
)
PAYABLE = "payable_to_amazon"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. amount: positive = credit, negative = debit (the file's sign: income credits, cost debits)."""

    account_id: str
    amount: Decimal
    memo: str


@dataclass(frozen=True, slots=True)
class Part:
    """One month of the settlement."""

    month: Month
    clearing: Decimal
    by_label: tuple[tuple[str, str, Decimal], ...]

    @property
    def net(self) -> Decimal:
        """Sum of the file's amounts posted in the month."""
        return self.clearing + sum((amount for _, _, amount in self.by_label), ZERO)


class _Unmappable(Exception):  # noqa: N818 - control flow inside this module, never seen outside
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


def rows(ctx: Context, decisions: Sequence[Decision]) -> list[PlanRow]:
    """The journal's plan rows: one a month, or one that says why there is none."""
    off = _switched_off(ctx)
    if off is not None:
        return [_blocked(ctx, off, Action.SKIP)]
    try:
        parts = _parts(ctx, decisions)
        entries = _entries(ctx, parts, decisions)
    except _Unmappable as error:
        return [_blocked(ctx, error.reason)]
    planned = [_row(ctx, month, day, lines, decisions) for month, day, lines in entries]
    held = _otherwise_written(ctx, decisions, entries) or _why_wait(ctx, decisions)
    if held is None:
        return planned
    return [
        row if row.action is Action.SKIP else PlanRow(
            Action.BLOCKED, held, row.key, row.number, row.title, JOURNAL, row.amount, state=GroupState.NEW
        )
        for row in planned
    ]  # fmt: skip


def account_of(ctx: Context, kind: Kind, cls: TransactionClass) -> str | None:
    """The account reference a kind is mapped to: by its triple, then its category; `...@CAD` before the plain name."""
    journal = ctx.settings.journal
    maps = [journal.transaction_fee_accounts, journal.non_transaction_accounts]
    if cls not in _TRANSACTION_CLASSES:
        maps.reverse()
    names = [kind.triple, kind.category] if kind.known else [kind.triple]
    for name in names:
        for key in (f"{name}@{ctx.currency}", name):
            for mapping in maps:
                if key in mapping:
                    return mapping[key]
    return journal.suspense_account


def expected_clearing(decisions: Iterable[Decision], *, journal: bool) -> Decimal:
    """What the clearing account will hold for this settlement when everything planned is written; 0.00 when all fits.

    Args:
        decisions: Of the whole settlement.
        journal: Whether the settlement journal is written (or planned).
    """
    balance = ZERO
    for decision in decisions:
        if decision.reason.code == CASH_SALE_IN_CLEARING:
            balance += decision.claimed
        for document in decision.documents:
            if document.state in (GroupState.MATCHED, GroupState.BOOKED):
                balance += {PAYMENT: document.amount, CUSTOMER_REFUND: -document.amount}.get(
                    document.kind, ZERO
                )
        if journal and decision.basis is not None:
            balance -= decision.claimed - decision.residue
    return balance


def _switched_off(ctx: Context) -> Reason | None:
    if not ctx.settings.journal.enabled:
        return Reason(
            "journal-off", "The settlement journal is switched off.", "Switch on `journal.enabled`."
        )
    if ctx.mode is Mode.TEST:
        return Reason("test-mode", "Test mode books single orders; a whole settlement's journal is not made.")
    return None


def carried(lines: Iterable[tuple[str, Decimal]]) -> Decimal:
    """What the lines (memo, credit-positive amount) of a settlement journal carry between months."""
    return sum((amount for memo, amount in lines if memo in (FORWARD_IN, FORWARD_OUT)), ZERO)


def taken(lines: Iterable[tuple[str, Decimal]]) -> Decimal:
    """What the lines (memo, credit-positive amount) of a settlement journal take out of clearing."""
    return sum((amount for memo, amount in lines if memo.startswith(TRANSACTIONS)), ZERO)


def written(ctx: Context, decisions: Iterable[Decision]) -> dict[Month, Known]:
    """The settlement's journals that NetSuite holds, or may hold, by month."""
    months = {part.month for d in decisions for part in d.group.kinds} | {Month.of(ctx.deposit_day)}
    known = {month: ctx.journal.known.get(_journal_key(ctx, month)) for month in sorted(months)}
    nothing = (EffectState.APPROVED, EffectState.REFUSED, EffectState.IGNORED)
    return {month: k for month, k in known.items() if k is not None and k.state not in nothing}


def journal_external_id(ctx: Context, month: Month) -> str:
    """`AZS-<settlement id>-J-<month>`."""
    return external_id("AZS", ctx.sid, "J", str(month))


def _journal_key(ctx: Context, month: Month) -> str:
    return ctx.key(JOURNAL, ctx.sid, f"journal:{month}")


def _otherwise_written(
    ctx: Context, decisions: Sequence[Decision], entries: Sequence[tuple[Month, date, list[Line]]]
) -> Reason | None:
    """A month already written that carries another balance: writing the other months now would book amounts twice."""
    wanted = {month: carried((line.memo, line.amount) for line in lines) for month, _, lines in entries}
    for month, known in written(ctx, decisions).items():
        if known.forward is not None and known.forward != wanted.get(month):
            return Reason(
                "months-divided-otherwise",
                f"The journal of {month} was written when the settlement's months were divided otherwise; another one "
                "now would book amounts twice.",
                "Set `journal.split_months` and the books' time zone as they were; or book the rest by hand.",
            )
    return None


def _why_wait(ctx: Context, decisions: Sequence[Decision]) -> Reason | None:
    residues = sum((abs(d.residue) for d in decisions), ZERO)
    if residues > ctx.settings.general.tolerance_per_settlement:
        return Reason(
            "residues-too-large",
            f"The residues within tolerance add up to {amount_text(residues, ctx.currency)}.",
            "Look at the orders with a residue, or raise `general.tolerance_per_settlement`.",
        )
    if ctx.settings.journal.open_groups is OpenGroups.POST:
        return None
    stuck = [d for d in decisions if not d.settled and not d.pending]
    if not stuck:
        return None
    counts: dict[str, int] = {}
    for decision in stuck:
        counts[decision.state.value] = counts.get(decision.state.value, 0) + 1
    words = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    amount = sum((d.claimed for d in stuck), ZERO)
    return Reason(
        "groups-open",
        f"{len(stuck)} groups are open ({words}), together {amount_text(amount, ctx.currency)}.",
        "Resolve or ignore them; or set `journal.open_groups: post` to book the deposit now.",
    )


def _parts(ctx: Context, decisions: Sequence[Decision]) -> list[Part]:
    clearing: dict[Month, Decimal] = {}
    labels: dict[Month, dict[tuple[str, str], Decimal]] = {}
    unmapped: dict[str, Decimal] = {}
    tax: dict[Month, Decimal] = {}

    def add(month: Month, label: str, account: str, amount: Decimal) -> None:
        sums = labels.setdefault(month, {})
        sums[label, account] = sums.get((label, account), ZERO) + amount

    for decision in decisions:
        group = decision.group
        if decision.basis is not None:
            by_month = claimed_by_month(group, decision.basis)
            for month, amount in by_month.items():
                clearing[month] = clearing.get(month, ZERO) + amount
            if decision.residue:
                month = max(by_month)
                clearing[month] -= decision.residue
                add(
                    month,
                    "Rounding residue within tolerance",
                    _account(ctx, ctx.settings.general.rounding_account, "general.rounding_account"),
                    decision.residue,
                )
        on_memo = (
            decision.basis is not None
            and group.cls in (TransactionClass.REFUND, TransactionClass.CHARGEBACK)
            and ctx.settings.refund.restocking_fee is RestockingFee.CREDIT_LINE
        )
        for part in journaled_kinds(group, decision.basis):
            labels.setdefault(part.month, {})
            if not part.amount:
                continue
            if on_memo and part.kind.category == RESTOCKING:
                clearing[part.month] = clearing.get(part.month, ZERO) + part.amount
                continue
            reference = account_of(ctx, part.kind, group.cls)
            if reference is None and part.kind.category in _TAX_CATEGORIES:
                tax[part.month] = tax.get(part.month, ZERO) + part.amount
            elif reference is None:
                unmapped[part.kind.triple] = unmapped.get(part.kind.triple, ZERO) + part.amount
            else:
                label = _memo_of(part.kind)
                add(part.month, label, _account(ctx, reference, part.kind.triple), part.amount)
    if any(tax.values()):
        unmapped[TAX] = sum(tax.values(), ZERO)
    if unmapped:
        listed = "; ".join(
            f"{name} {amount_text(value, ctx.currency)}" for name, value in sorted(unmapped.items())
        )
        raise _Unmappable(Reason(
            "unmapped-kinds",
            f"{len(unmapped)} kinds of amount have no account: {listed}.",
            "Map them in `journal.transaction_fee_accounts` or `journal.non_transaction_accounts`.",
        ))  # fmt: skip
    months = sorted(clearing.keys() | labels.keys() | tax.keys())
    return [
        Part(
            month,
            clearing.get(month, ZERO),
            tuple((label, account, amount) for (label, account), amount in sorted(labels.get(month, {}).items()) if amount),
        )
        for month in months
    ]  # fmt: skip


def _memo_of(kind: Kind) -> str:
    """The memo of a kind's line: fees in the words of celigo-amazon-netsuite.md 2.5, other amounts by their category."""
    words = kind.category.replace("_", " ").replace("fba", "FBA") if kind.known else kind.triple
    return f"Fee charged by Amazon: {words}" if kind.component is Component.FEES else f"Other amount: {words}"


def _account(ctx: Context, reference: str | None, what: str) -> str:
    found = ctx.reference("account", reference)
    if found is None:
        raise _Unmappable(Reason(
            "account-not-found",
            f"The account for {what} {'is not set' if reference is None else f'is {reference!r}, which is no active account'}.",
            "Correct the setting (`ledger-pipelines options` lists the accounts).",
        ))  # fmt: skip
    return found


def _entries(
    ctx: Context, parts: list[Part], decisions: Sequence[Decision]
) -> list[tuple[Month, date, list[Line]]]:
    """(month, date, lines) of each journal; a settlement that has nothing to book has none."""
    total = ctx.settlement.total.amount
    footed = sum((part.net for part in parts), ZERO)
    if footed != total:
        raise _Unmappable(Reason(
            "does-not-foot",
            f"The groups sum to {amount_text(footed, ctx.currency)}, the settlement to {ctx.settlement.total}.",
            "Report this file: nothing is written.",
        ))  # fmt: skip
    deposit_month = Month.of(ctx.deposit_day)
    if not ctx.settings.journal.split_months or all(part.month == deposit_month for part in parts):
        parts = [_merged(deposit_month, parts)]
    elif not any(part.month == deposit_month for part in parts):
        parts = [*parts, Part(deposit_month, ZERO, ())]
    carried = ZERO
    entries: list[tuple[Month, date, list[Line]]] = []
    clearing_needed = any(part.clearing for part in parts)
    if ctx.currency_id is None:
        raise _Unmappable(no_currency(ctx.currency))
    if clearing_needed and ctx.clearing is None:
        _account(ctx, ctx.settings.payment.netsuite_payment_account.get(ctx.currency), "the clearing account")
    forward = None
    if len(parts) > 1:
        forward = _account(
            ctx, ctx.settings.journal.carried_forward_account, "carrying forward to the next month"
        )
    for part in parts:
        last = part.month == parts[-1].month
        lines = _lines(ctx, part, decisions)
        if carried:
            lines.append(Line(str(forward), carried, FORWARD_IN))
        if last:
            if total:
                lines.append(Line(_deposit_account(ctx), -total, DEPOSITED))
        else:
            carried += part.net
            if carried:
                lines.append(Line(str(forward), -carried, FORWARD_OUT))
        if not lines:
            continue
        odd = next((line for line in lines if not Money(line.amount, ctx.currency).is_bookable), None)
        if odd is not None:
            raise _Unmappable(Reason(
                "unbookable-amount",
                f"{odd.memo}: {amount_text(odd.amount, ctx.currency)} has more decimals than {ctx.currency} has.",
                "Ask Amazon about the amount; nothing is rounded here.",
            ))  # fmt: skip
        if sum((line.amount for line in lines), ZERO) != 0:
            raise _Unmappable(Reason(
                "unbalanced", f"The journal of {part.month} does not balance.", "Report this file: nothing is written."
            ))  # fmt: skip
        wanted = ctx.deposit_day if last else part.month.last
        day = ctx.open_day(wanted)
        if day is None:
            raise _Unmappable(Reason(
                "period-closed",
                f"The period of {wanted} is closed for the journal of settlement {ctx.sid}.",
                "Open the period, or set `general.closed_period: first_open`.",
            ))  # fmt: skip
        entries.append((part.month, day, lines))
    return entries


def _merged(month: Month, parts: list[Part]) -> Part:
    sums: dict[tuple[str, str], Decimal] = {}
    for part in parts:
        for label, account, amount in part.by_label:
            sums[label, account] = sums.get((label, account), ZERO) + amount
    return Part(
        month,
        sum((p.clearing for p in parts), ZERO),
        tuple((label, account, amount) for (label, account), amount in sorted(sums.items()) if amount),
    )


def _lines(ctx: Context, part: Part, decisions: Sequence[Decision]) -> list[Line]:
    """Fees and other amounts, and the total transaction amount split for payments and refunds."""
    lines = [Line(account, amount, label) for label, account, amount in part.by_label]
    refund_account = ctx.refund_account
    refunds = ZERO
    if refund_account is not None and refund_account != ctx.clearing:
        refunds = _refunds_of(ctx, part.month, decisions)
    if refunds:
        lines.append(Line(str(ctx.clearing), part.clearing - refunds, f"{TRANSACTIONS}: payments"))
        lines.append(Line(str(refund_account), refunds, f"{TRANSACTIONS}: refunds"))
    elif part.clearing:
        lines.append(Line(str(ctx.clearing), part.clearing, TRANSACTIONS))
    return [line for line in lines if line.amount]


def _refunds_of(ctx: Context, month: Month, decisions: Sequence[Decision]) -> Decimal:
    """Claimed amounts of refunds in a month (negative), where they have an account of their own."""
    merged = not ctx.settings.journal.split_months
    value = ZERO
    for decision in decisions:
        if decision.basis is None or decision.group.cls not in (
            TransactionClass.REFUND,
            TransactionClass.CHARGEBACK,
        ):
            continue
        if merged:
            value += decision.claimed
            continue
        value += claimed_by_month(decision.group, decision.basis).get(month, ZERO)
        if ctx.settings.refund.restocking_fee is RestockingFee.CREDIT_LINE:
            value += sum(
                (
                    k.amount
                    for k in decision.group.kinds
                    if k.kind.category == RESTOCKING and k.month == month
                ),
                ZERO,
            )
    return value


def _deposit_account(ctx: Context) -> str:
    journal = ctx.settings.journal
    if ctx.settlement.total.amount < 0:
        accounts = journal.non_transaction_accounts
        reference = journal.negative_deposit_account.get(ctx.currency)
        reference = reference or accounts.get(f"{PAYABLE}@{ctx.currency}") or accounts.get(PAYABLE)
        return _account(ctx, reference, "a negative deposit (journal.negative_deposit_account)")
    return _account(
        ctx,
        journal.amazon_payment_account.get(ctx.currency),
        f"journal.amazon_payment_account.{ctx.currency}",
    )


def _row(ctx: Context, month: Month, day: date, lines: list[Line], decisions: Sequence[Decision]) -> PlanRow:
    key = _journal_key(ctx, month)
    title = f"Journal of settlement {ctx.sid}, {month}"
    debits = Money(-sum((line.amount for line in lines if line.amount < 0), ZERO), ctx.currency)
    known = from_journal(ctx, key, JOURNAL, title, debits.amount)
    if known is not None:
        return _difference(ctx, month, key, lines) or PlanRow(
            Action.SKIP, known.reason, key, ctx.sid, title, JOURNAL, debits, state=known.state
        )
    subsidiary = ctx.reference("subsidiary", ctx.settings.subsidiary.get(ctx.currency))
    if ctx.one_world and subsidiary is None:
        return _blocked(ctx, Reason(
            "no-subsidiary",
            f"A OneWorld account needs a subsidiary on the journal, and `subsidiary.{ctx.currency}` names none.",
            "Set it (`ledger-pipelines options` lists the subsidiaries).",
        ))  # fmt: skip
    reference = journal_external_id(ctx, month)
    items: list[Json] = [
        {
            "account": {"id": line.account_id},
            ("credit" if line.amount > 0 else "debit"): abs(line.amount),
            "memo": line.memo,
        }
        for line in lines
    ]
    body: dict[str, Json] = {
        "externalId": reference,
        "tranDate": day.isoformat(),
        "currency": {"id": ctx.currency_id},
        "memo": f"{ctx.marked}Amazon settlement {ctx.sid}",
        "line": {"items": items},
        **ctx.marks(""),
    }
    if ctx.one_world and subsidiary is not None:
        body["subsidiary"] = {"id": subsidiary}
    pending: tuple[str, ...] = ()
    if ctx.settings.journal.open_groups is OpenGroups.WAIT:
        pending = tuple(
            document.key
            for d in decisions
            for document in d.documents
            if document.state is not GroupState.IGNORED
        )
    effect = ctx.effect(
        FLOW,
        JOURNAL,
        key,
        external_id=reference,
        number=ctx.sid,
        title=title,
        body=body,
        expected=Expected(None, day),
        depends_on=tuple(sorted(k for k in pending if k not in ctx.journal.ignored)),
        source=f"file:{ctx.settlement.content_hash}",
    )
    return PlanRow(
        Action.CREATE,
        Reason("journal", f"{len(items)} lines, {debits} on each side."),
        key, ctx.sid, title, JOURNAL, debits, effect, GroupState.MATCHED,
    )  # fmt: skip


def _difference(ctx: Context, month: Month, key: str, lines: list[Line]) -> PlanRow | None:
    """A journal that was written before an order or refund was decided otherwise: the rest stays in clearing."""
    known, of_row = ctx.journal.confirmed(key), ctx.key(JOURNAL, ctx.sid, f"difference:{month}")
    wanted = taken((line.memo, line.amount) for line in lines)
    if known is None or known.taken in (None, wanted) or of_row in ctx.journal.ignored:
        return None
    rest = Money(wanted - (known.taken or ZERO), ctx.currency)
    return PlanRow(
        Action.BLOCKED,
        Reason(
            "journal-differs",
            f"The journal of {month} was written before all was decided: {rest} more would leave the clearing account "
            "now, and stays there.",
            "Book that by hand, then ignore this: a journal is never sent twice.",
        ),
        of_row, ctx.sid, f"Journal of settlement {ctx.sid}, {month}", JOURNAL, rest, state=GroupState.AMOUNT_DIFFERS,
    )  # fmt: skip


def _blocked(ctx: Context, reason: Reason, action: Action = Action.BLOCKED) -> PlanRow:
    key = ctx.key(JOURNAL, ctx.sid, "journal")
    return PlanRow(
        action, reason, key, ctx.sid, f"Journal of settlement {ctx.sid}", JOURNAL,
        ctx.settlement.total, state=GroupState.ERROR,
    )  # fmt: skip
