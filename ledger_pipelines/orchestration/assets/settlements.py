"""Settlements of an Amazon connection: what was read, how it stands to the one before, a picture of it.

Belongs here: the asset and its checks. Does not belong here: receiving files (`sensors`), reading them
(`systems/amazon`), what is done with them (`assets.chain`). A partition is made when a file was accepted.

Checks of acceptance (footing, one currency, readable amounts) refuse a file before it gets here; the check `foots`
shows it again from what is stored. The others are warnings: a gap between two settlements, or an amount of a kind
nobody has seen, is told to a person and does not keep the money of this settlement from being booked.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import dagster as dg

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import (
    Component,
    Footing,
    Settlement,
    SettlementGroup,
    TransactionClass,
)
from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration import names, partitions
from ledger_pipelines.orchestration.failing import told
from ledger_pipelines.orchestration.gate import accepted
from ledger_pipelines.orchestration.pictures import bars
from ledger_pipelines.orchestration.results import Result, Shown
from ledger_pipelines.orchestration.services import Runtime

FOOTS = "foots"
CHAIN = "follows_the_one_before"
RESERVE = "reserve_rolls_forward"
KNOWN = "kinds_are_known"
CHECKS = {
    FOOTS: "The rows sum to the file's total-amount, exactly.",
    CHAIN: "It starts where the settlement before it ended: none is missing between them.",
    RESERVE: "The reserve it releases is the one that the settlement before it held back.",
    KNOWN: "Every kind of amount is one that is understood; others are kept, counted and shown.",
}
_STEPS = {
    "Product": Component.PRODUCT,
    "Shipping": Component.SHIPPING,
    "Gift wrap": Component.GIFTWRAP,
    "Promotion": Component.PROMOTION,
    "Tax": Component.TAX,
    "Withheld tax": Component.WITHHELD_TAX,
    "Fees": Component.FEES,
    "Other": Component.OTHER,
}


def build_settlements(runtime: Runtime, connection: str, integration: str) -> dg.AssetsDefinition:
    """The asset of one connection. `integration`: through whose service its settlements are looked up."""
    key = names.settlements_key(connection)

    @dg.asset(
        key=key,
        partitions_def=partitions.settlements(connection),
        group_name=connection,
        kinds={"amazon"},
        check_specs=[dg.AssetCheckSpec(name, asset=key, description=text) for name, text in CHECKS.items()],
        description="Settlements that Amazon paid out, as read from their files. A partition is a settlement id; it "
        "appears when a file was accepted. Files that were refused lie in refused/, each beside its reason.",
    )
    def settlements(context: dg.AssetExecutionContext) -> Result:
        with told():
            service = runtime.service(integration, context.run.run_id)
            settlement = accepted(service, context.partition_key)
            groups = service.groups(settlement.settlement_id)
            footing = service.footing(settlement.settlement_id)
            before = _before(settlement, [service.settlement(sid) for sid in service.settlements()])
            earlier = () if before is None else service.groups(before.settlement_id)
        return Result(
            metadata=shown(settlement, groups),
            check_results=[
                _foots(settlement, footing),
                _follows(settlement, before),
                _reserve(settlement, groups, before, earlier),
                _known(settlement),
            ],
        )

    return settlements


def shown(settlement: Settlement, groups: Sequence[SettlementGroup]) -> Shown:
    """Figures, a picture of gross to deposit, sums by kind."""
    currency = settlement.currency
    sums = components(groups)
    kinds: dict[tuple[str, bool], tuple[Decimal, int]] = defaultdict(lambda: (ZERO, 0))
    for part in (part for group in groups for part in group.kinds):
        amount, rows = kinds[part.kind.triple, part.kind.known]
        kinds[part.kind.triple, part.kind.known] = (amount + part.amount, rows + part.rows)
    steps = [(name, sums[component]) for name, component in _STEPS.items()]
    return {
        m.WATERFALL: dg.MetadataValue.md(
            bars(steps, "Deposit", lambda amount: m.amount_text(amount, currency))
        ),
        m.AMOUNT: m.money_text(settlement.total),
        m.AMOUNT_PLOT: m.for_plot(settlement.total.amount),
        m.CURRENCY: currency,
        m.PERIOD: f"{settlement.start:%Y-%m-%d %H:%M:%S} to {settlement.end:%Y-%m-%d %H:%M:%S} UTC",
        m.DEPOSIT: f"{settlement.deposit:%Y-%m-%d %H:%M:%S} UTC",
        m.ROWS: settlement.rows,
        m.GROUPS: len(groups),
        m.COUNTS: m.counts_table(_by_class(groups)),
        m.KINDS: m.table(
            ("kind", "rows", currency),
            [
                (triple if known else f"{triple} (unknown)", f"{rows:,}", m.amount_text(amount, currency))
                for (triple, known), (amount, rows) in sorted(kinds.items())
            ],
            right=(1, 2),
        ),
        m.FILE: f"{settlement.variant}, {settlement.encoding}",
        m.CONTENT_HASH: settlement.content_hash,
    }


def components(groups: Sequence[SettlementGroup]) -> dict[Component, Decimal]:
    """Sums of the eight components over all groups: together the deposit."""
    sums = dict.fromkeys(Component, ZERO)
    for group in groups:
        for component in Component:
            sums[component] += getattr(group.amounts, component.value)
    return sums


def _by_class(groups: Sequence[SettlementGroup]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for group in groups:
        counts[group.cls.value] = counts.get(group.cls.value, 0) + 1
    return counts


def _before(settlement: Settlement, every: Sequence[Settlement]) -> Settlement | None:
    """The settlement before, in the same currency: each currency of a seller account has its own chain."""
    earlier = [one for one in every if one.currency == settlement.currency and one.start < settlement.start]
    return max(earlier, key=lambda one: one.start, default=None)


def _check(name: str, passed: bool, text: str, **more: str) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.ERROR if name == FOOTS else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        check_name=name, passed=passed, severity=severity, description=text, metadata=dict(more)
    )


def _foots(settlement: Settlement, footing: Footing) -> dg.AssetCheckResult:
    """Of the rows as they lie on the disk now, not as they were counted when the file came."""
    return _check(
        FOOTS,
        footing.foots and footing.sum == settlement.sum,
        f"{settlement.rows:,} rows sum to {m.money_text(footing.sum)}; the file says {m.money_text(settlement.total)}.",
        **{m.SETTLEMENT: settlement.settlement_id},
    )


def _follows(settlement: Settlement, before: Settlement | None) -> dg.AssetCheckResult:
    sid = {m.SETTLEMENT: settlement.settlement_id}
    if before is None:
        return _check(CHAIN, True, f"The first one known in {settlement.currency}.", **sid)
    if before.end == settlement.start:
        return _check(CHAIN, True, f"It starts where {before.settlement_id} ended.", **sid)
    word = "is missing" if before.end < settlement.start else "is covered twice"
    first, last = sorted((before.end, settlement.start))
    return _check(
        CHAIN,
        False,
        f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC {word}: {before.settlement_id} ended at "
        f"{before.end:%Y-%m-%d %H:%M:%S}. Download the settlement of that time and drop it, if there was one.",
        **sid,
    )


def _reserve(
    settlement: Settlement,
    groups: Sequence[SettlementGroup],
    before: Settlement | None,
    earlier: Sequence[SettlementGroup],
) -> dg.AssetCheckResult:
    sid = {m.SETTLEMENT: settlement.settlement_id}
    released, currency = _reserves(groups)[0], settlement.currency
    if before is None or before.end != settlement.start:
        return _check(
            RESERVE,
            True,
            f"Released {m.amount_text(released, currency)}; the one before is not known.",
            **sid,
        )
    held = -_reserves(earlier)[1]
    return _check(
        RESERVE,
        held == released,
        f"{before.settlement_id} held back {m.amount_text(held, currency)}; this one releases "
        f"{m.amount_text(released, currency)}.",
        **sid,
    )


def _reserves(groups: Sequence[SettlementGroup]) -> tuple[Decimal, Decimal]:
    """(released, held back): the positive and the negative amounts of reserve groups."""
    parts = [part.amount for group in groups if group.cls is TransactionClass.RESERVE for part in group.kinds]
    return sum((a for a in parts if a > 0), ZERO), sum((a for a in parts if a < 0), ZERO)


def _known(settlement: Settlement) -> dg.AssetCheckResult:
    unknown = settlement.unknown_kinds
    listed = m.table(
        ("kind", settlement.currency),
        [(triple, m.amount_text(amount, settlement.currency)) for triple, amount in unknown],
        right=(1,),
        none="Every kind is known.",
    )
    return dg.AssetCheckResult(
        check_name=KNOWN,
        passed=not unknown,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(unknown):,} kinds of amount are not known." if unknown else "Every kind is known.",
        metadata={m.SETTLEMENT: settlement.settlement_id, m.UNKNOWN_KINDS: listed},
    )
