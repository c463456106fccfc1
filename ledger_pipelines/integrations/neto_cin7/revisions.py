"""An order that is in Omni: unchanged, changed in the store, changed by hand in Omni, cancelled, void.

Belongs here: what follows. Does not belong here: what differs (`edits`), orders that are not in Omni yet (`orders`), dispatching and voiding
(`status_updates`). Facts: cin7-omni.md 5, 6.2, 6.3, 6.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ledger_pipelines.documents.effects import Action, Expected
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import IGNORED, link
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.contacts import identity
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.decisions import Decision, titled
from ledger_pipelines.integrations.neto_cin7.edits import (
    AMOUNTS,
    TAKEN_OUT,
    Edit,
    LineChange,
    Written,
    as_if_written,
    changed_fields,
    changed_lines,
    edits_in_omni,
    edits_of_order,
    filled_in,
    gone_on_both,
    group_of,
    is_compared,
    lines_of,
    read_since,
    under_our_references,
)
from ledger_pipelines.integrations.neto_cin7.mapping import Remapped
from ledger_pipelines.integrations.neto_cin7.omni import begun
from ledger_pipelines.integrations.neto_cin7.order_body import LINES, approved, stage
from ledger_pipelines.integrations.neto_cin7.references import (
    ORDER,
    order_reference,
    order_source,
    update_key,
)
from ledger_pipelines.integrations.neto_cin7.settings import Wins
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.cin7.records import SalesOrder

FLOW = "orders"
WAITS_FOR_READING = "wait-for-omni"
"""Code of a row that comes by itself once Omni was read."""
SHOWN = frozenset(
    {"order-changed", "edited-in-omni", "line-lost", "voided-in-omni", "void-for-good", "cancelled-later"}
)
"""Codes of rows of orders that are in Omni and wait for a person: their keys are of what they say (`DayContext.shown_key`)."""
_LEFT_WHEN_SHIPPED = frozenset({"branchId", "memberId"})
"""What settings may have changed since, and says nothing any more once the goods are gone."""


def revise(ctx: Context, order: SalesDocument, before: Written, mapped: Remapped) -> Decision:
    """What follows for an order that is in Omni. mapped: as it would be written now."""
    return _Revising(ctx, order, before, mapped, read_since(ctx, before)).decision()


@dataclass(frozen=True, slots=True)
class _Revising:
    ctx: Context
    order: SalesDocument
    before: Written
    mapped: Remapped
    booked: SalesOrder | None

    def decision(self) -> Decision:
        number, name = self.order.number, self.name
        if self.order.cancelled:
            return self._cancelled()
        if self.before.void:
            return self._blocked(
                Reason(
                    "void-for-good",
                    f"Order {number} is {self.order.status} again, and {name} in Omni was voided when it was cancelled: a void "
                    "cannot be taken back.",
                    "Enter it in the store as a new order, or in Omni by hand, and ignore the row.",
                )
            )
        if self.booked is not None and self.booked.is_void:
            return self._blocked(
                Reason(
                    "voided-in-omni",
                    f"Order {number} is {self.order.status}, and {name} was voided in Omni. It is not written again.",
                    "Cancel it in the store too, restore it in Omni within six months, or ignore the row.",
                )
            )
        return self._compared(self.mapped)

    @property
    def name(self) -> str:
        return self.before.known.number or self.before.known.external_id

    @property
    def key(self) -> str:
        return self.before.known.key

    @property
    def title(self) -> str:
        return titled(self.order)

    def _decided(self, row: PlanRow, *, reason: Reason | None = None, waits: bool = False) -> Decision:
        return Decision(
            order=self.order, rows=(row,), key=self.key, target=link(self.key), reason=reason, booked=self.booked,
            waits=waits,
        )  # fmt: skip

    def _skip(self, reason: Reason) -> Decision:
        row = self.ctx.skip(self.key, self.order.number, self.title, reason, self.before.total, ORDER)
        return self._decided(row)

    def _blocked(self, reason: Reason) -> Decision:
        key = self.ctx.shown_key(ORDER, self.order.key, reason)
        row = self.ctx.blocked(key, self.order.number, self.title, reason, self.before.total, ORDER)
        waits = row.action is Action.BLOCKED
        return self._decided(row, reason=row.reason if waits else None, waits=waits)

    # --- cancelled ---------------------------------------------------------------------------------------------------

    def _cancelled(self) -> Decision:
        number = self.order.number
        if self.before.void or (self.booked is not None and self.booked.is_void):
            return self._skip(
                Reason("void", f"Order {number} was cancelled, and {self.name} is void in Omni.")
            )
        if self.ctx.settings.dispatches:
            return self._skip(
                Reason(
                    "cancelled-later",
                    f"Order {number} was cancelled: the flow status_updates voids {self.name}.",
                )
            )
        return self._blocked(
            Reason(
                "cancelled-later",
                f"Order {number} was cancelled after it was downloaded, and Auto Dispatch Orders is No: {self.name} stays.",
                "Void it in Omni by hand, or choose another status_updates.auto_dispatch_orders.",
            )
        )

    # --- comparing ---------------------------------------------------------------------------------------------------

    def _compared(self, mapped: Remapped) -> Decision:
        ctx, before = self.ctx, self.before
        fields = changed_fields(ctx, before.body, mapped.body)
        gone = (
            frozenset[str]() if self.booked is None else gone_on_both(before.body, mapped.body, self.booked)
        )
        lines = [one for one in changed_lines(ctx, before.body, mapped.body) if one.reference not in gone]
        if self._is_shipped():
            fields = {name: value for name, value in fields.items() if name not in _LEFT_WHEN_SHIPPED}
        changes = [*edits_of_order(before.body, mapped.body, fields, lines), *mapped.unmapped]
        if gone and self._is_total_unsaid(mapped, fields):
            # The lines went on both sides: what is left to be written once more is what the order comes to.
            changes.append(Edit(AMOUNTS, f"the total {before.total} is now {mapped.expected}"))
            fields |= {name: mapped.body[name] for name in ("taxStatus",) if name in mapped.body}
        if changes and not self._can_follow(mapped, changes) and before.is_of(self.order):
            # Nobody changed it in the store: settings, or products, say it otherwise by now.
            fields, lines, changes = {}, [], []
        moved = self._moved()
        if moved and self.booked is not None:
            moved = self._unmoved(moved, self.booked)
        by_hand = (
            []
            if self.booked is None
            else [
                *edits_in_omni(ctx, before, self.booked, gone),
                *filled_in(ctx, before, self.booked, fields).values(),
            ]
        )
        if not changes and not moved:
            text = f"In Omni already as {self.name}."
            if by_hand:
                text += f" It was edited there: {_listed(by_hand)}."
            if mapped.obstacles and not self._is_shipped():
                text += f" A change could not be written now: {mapped.obstacles[0].reason.text}"
            return self._skip(Reason("already-there", text))
        if not ctx.settings.download_orders.changes:
            return (
                self._skip(Reason("already-there", text_of_moved(self.name, moved)))
                if not changes
                else self._blocked(
                    self._changed(
                        changes,
                        "Correct it in Omni by hand and ignore the row, or switch on download_orders.enabled and "
                        "download_orders.update.",
                    )
                )
            )
        if changes and self._is_shipped():
            return self._blocked(
                self._changed(
                    changes,
                    "It was dispatched from Omni already: correct it there by hand, then ignore the row.",
                )
            )
        obstacle = mapped.obstacle(frozenset(one.group for one in changes))
        if obstacle is not None:
            return self._blocked(
                self._changed(changes, obstacle.remedy, f" It cannot be written: {obstacle.text}")
            )
        if self.booked is None:
            return self._wait(changes, moved)
        return self._update(mapped, fields, lines, changes, moved, by_hand)

    def _can_follow(self, mapped: Remapped, changes: Sequence[Edit]) -> bool:
        """Whether changes can be written: where they cannot, a person has to know of them."""
        if self._is_shipped() or not self.ctx.settings.download_orders.changes:
            return False
        return mapped.obstacle(frozenset(one.group for one in changes)) is None

    def _is_shipped(self) -> bool:
        return self.before.dispatched or (self.booked is not None and begun(self.booked))

    def _moved(self) -> dict[str, Json]:
        """Stage and approval, where the store's status asks for others than were written; not those of a dispatched order."""
        before = self.before.body
        if self._is_shipped():
            return {}
        found: dict[str, Json] = {}
        wanted = stage(self.ctx, self.order)
        if folded(wanted) != folded(str(before.get("stage") or "")):
            found["stage"] = wanted
        approve = approved(self.ctx, self.order)
        if before.get("isApproved") is not approve:
            found["isApproved"] = approve
        return found

    def _unmoved(self, moved: dict[str, Json], booked: SalesOrder) -> dict[str, Json]:
        """Those of them that nobody moved in Omni: a warehouse has stages of its own."""
        before = self.before.body
        there = {
            "stage": folded(booked.stage) == folded(str(before.get("stage") or "")),
            "isApproved": booked.is_approved is bool(before.get("isApproved")),
        }
        return {name: value for name, value in moved.items() if there[name]}

    def _wait(self, changes: Sequence[Edit], moved: dict[str, Json]) -> Decision:
        """Until Omni was read once: lines are changed by their id, and what somebody did there meanwhile must be seen."""
        told = [*changes, *(Edit(name, f"{name} is to be {_shown(value)}") for name, value in moved.items())]
        reason = self._changed(told, "Nothing to do: it is changed when the order was read from Omni once.")
        reason = Reason(WAITS_FOR_READING, reason.text, reason.remedy)
        row = self.ctx.skip(self.key, self.order.number, self.title, reason, self.before.total, ORDER)
        return self._decided(row, reason=reason, waits=True)

    def _changed(self, changes: Sequence[Edit], remedy: str, more: str = "") -> Reason:
        return Reason(
            "order-changed",
            f"Order {self.order.number} was changed after {self.name} was written: {_listed(changes)}.{more}",
            remedy,
        )

    # --- writing -----------------------------------------------------------------------------------------------------

    def _update(
        self,
        mapped: Remapped,
        fields: dict[str, Json],
        lines: list[LineChange],
        changes: Sequence[Edit],
        moved: dict[str, Json],
        by_hand: Sequence[Edit],
    ) -> Decision:
        clashing = frozenset(one.group for one in changes) & {one.group for one in by_hand}
        clash = [one for one in by_hand if one.group in clashing]
        if not clash:
            return self._written(mapped, fields | moved, lines, self._told(changes, moved))
        if self._is_the_same_there(mapped, fields, clashing):
            return self._noted(mapped, fields | moved, lines, changes)
        match self.ctx.settings.download_orders.edited_in_omni:
            case Wins.REPORT:
                return self._blocked(self._clash(changes, clash))
            case Wins.OMNI:
                return self._kept(mapped, fields, lines, changes, moved, clash)
            case Wins.NETO:
                restored, others = self._restored(mapped, clashing)
                reason = self._clash(changes, [*clash, *(one for one in others if one not in clash)])
                reason = Reason("overwrites-omni", f"{reason.text} The store's is written.")
                body = fields | restored | moved
                return self._written(mapped, body, lines, reason, restore=AMOUNTS in clashing)

    def _is_the_same_there(self, mapped: Remapped, fields: dict[str, Json], groups: frozenset[str]) -> bool:
        """Whether Omni has these parts as the store has them: somebody made both the same."""
        if self.booked is None:  # `_compared` sees to it
            return False
        booked = under_our_references(self.ctx, mapped.body, self.booked)
        after = as_if_written(self.before, mapped.body, fields, mapped.expected)
        return all(one.group not in groups for one in edits_in_omni(self.ctx, after, booked))

    def _is_total_unsaid(self, mapped: Remapped, fields: dict[str, Json]) -> bool:
        """Whether both sides come to the same, and it is not what was written."""
        same = self._is_the_same_there(mapped, fields, frozenset({AMOUNTS}))
        return (
            same and None not in (self.before.total, mapped.expected) and self.before.total != mapped.expected
        )

    def _noted(
        self, mapped: Remapped, body: dict[str, Json], lines: Sequence[LineChange], changes: Sequence[Edit]
    ) -> Decision:
        """It is written once more as it is there: that is how we know what both have, and what either changes after that."""
        reason = Reason(
            "same-in-omni",
            f"Order {self.order.number} was changed in the store: {_listed(changes)}; {self.name} was changed by hand in Omni to "
            "the same. Nothing is overwritten.",
        )
        booked = None if self.booked is None else under_our_references(self.ctx, mapped.body, self.booked)
        return replace(self, booked=booked)._written(mapped, body, lines, reason)

    def _told(self, changes: Sequence[Edit], moved: dict[str, Json]) -> Reason:
        if changes:
            return self._changed(changes, "It is changed in Omni.")
        text = f"Order {self.order.number} is {self.order.status}: {_listed_moves(moved)}."
        return Reason("status-changed", text)

    def _kept(
        self,
        mapped: Remapped,
        fields: dict[str, Json],
        lines: list[LineChange],
        changes: Sequence[Edit],
        moved: dict[str, Json],
        clash: Sequence[Edit],
    ) -> Decision:
        """What clashes stays as Omni has it; the rest is written."""
        lost = {one.group for one in clash}
        text = f"{self._clash(changes, clash).text} Omni's stays."
        body = {name: value for name, value in fields.items() if group_of(name) not in lost} | moved
        lines = [] if AMOUNTS in lost else lines
        if not body and not lines:
            return self._skip(Reason("kept-as-in-omni", text))
        others = [one.text for one in changes if one.group not in lost]
        told = "; ".join([*others, _listed_moves(moved)] if moved else others)
        return self._written(mapped, body, lines, Reason("kept-as-in-omni", f"{text} Written is: {told}."))

    def _restored(self, mapped: Remapped, groups: frozenset[str]) -> tuple[dict[str, Json], list[Edit]]:
        """All the store has of these parts where Omni has something else, and what of it somebody filled in there."""
        booked = self.booked
        if booked is None:  # `_compared` sees to it
            return {}, []
        texts = self.ctx.omni.texts.get(booked.id, {})
        wanted = {
            name: value
            for name, value in mapped.body.items()
            if is_compared(name)
            and group_of(name) in groups
            and not (isinstance(value, str) and texts.get(name, "").strip() == value.strip())
        }
        filled = filled_in(self.ctx, self.before, booked, wanted)
        restored = {
            name: value
            for name, value in wanted.items()
            if value != "" or name in self.before.body or name in filled
        }
        return restored, list(filled.values())

    def _clash(self, changes: Sequence[Edit], clash: Sequence[Edit]) -> Reason:
        return Reason(
            "edited-in-omni",
            f"Order {self.order.number} was changed in the store: {_listed(changes)}; and {self.name} by hand in Omni: "
            f"{_listed(clash)}.",
            "Give the order in Omni the store's values, or the store's order Omni's: it goes on by itself once both say the same. Or "
            "choose who wins: download_orders.edited_in_omni.",
        )

    def _lines(self, lines: Sequence[LineChange], mapped: Remapped, *, restore: bool) -> list[Json] | Reason:
        """What is sent of the lines. restore: all of them as the store has them, and none beside."""
        booked = self.booked
        if booked is None:  # `_compared` sees to it
            return []
        there = {
            one.integration_ref: one.id for one in booked.lines if one.integration_ref and not one.parent
        }
        if restore:
            wanted = {str(line.get("integrationRef")): line for line in lines_of(mapped.body)}
            made: list[Json] = [
                {"id": identity(there[ref]), **line} if ref in there else dict(line)
                for ref, line in wanted.items()
            ]
            others = [
                one
                for one in booked.lines
                if not one.parent and one.qty and one.integration_ref not in wanted
            ]
            return made + [
                {
                    "id": identity(one.id),
                    **TAKEN_OUT,
                    **({"discount": ZERO} if one.discount else {}),
                    "integrationRef": one.integration_ref,
                }
                for one in others
            ]
        made = []
        for one in lines:
            if one.reference in there:
                made.append(
                    {"id": identity(there[one.reference]), "integrationRef": one.reference, **one.fields}
                )
            elif one.new:
                made.append(dict(one.fields))
            else:
                return Reason(
                    "line-lost",
                    f"Order {self.order.number}: {one.text}, and {self.name} has no line {one.reference} any more.",
                    "Correct the lines in Omni by hand, then ignore the row.",
                )
        return made

    def _written(
        self,
        mapped: Remapped,
        body: dict[str, Json],
        lines: Sequence[LineChange],
        reason: Reason,
        *,
        restore: bool = False,
    ) -> Decision:
        ctx, order = self.ctx, self.order
        made = self._lines(lines, mapped, restore=restore)
        if isinstance(made, Reason):
            return self._blocked(made)
        if made:
            body = body | {LINES: list(made)}
        amounts = any(group_of(name) == AMOUNTS for name in body)
        changes = self.before.changes
        key = changes.key(body, update_key(ctx, order, changes.following))
        effect = ctx.effect(
            FLOW, ORDER, key, external_id=order_reference(ctx, order),
            number=order.number, title=f"Change of {self.title}", body=body, action=Action.UPDATE,
            expected=Expected(amount=mapped.expected) if amounts else None,
            target_id=self.before.known.remote_id, depends_on=mapped.needs, source=order_source(order),
        )  # fmt: skip
        if mapped.note:
            reason = Reason(reason.code, f"{reason.text} {mapped.note}", reason.remedy)
        row = ctx.row(effect, reason)
        ignored = row.reason.code == IGNORED
        return self._decided(row, reason=None if ignored else row.reason, waits=not ignored)


def text_of_moved(name: str, moved: dict[str, Json]) -> str:
    """An order whose status alone changed, where nothing is updated."""
    told = ", ".join(f"{field} would be {_shown(value)}" for field, value in moved.items())
    return f"In Omni already as {name}; changes are not written ({told})."


def _shown(value: Json) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _listed_moves(moved: dict[str, Json]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in moved.items())


def _listed(edits: Sequence[Edit]) -> str:
    return "; ".join(one.text for one in edits)
