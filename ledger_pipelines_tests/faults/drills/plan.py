"""Apply = plan, by key and by body; a stale or altered plan is refused, and nothing is written.

Belongs here: the cases. Does not belong here: comparing a plan with what arrived (`exactness`), what changes between plan
and export (`changes`), tampering with a stored plan (`tampering`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from benchmarks.calls import LISTS
from ledger_pipelines.documents.effects import Action, Effect, Mode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.sandbox.server import running_sandbox
from ledger_pipelines.sync.apply import apply
from ledger_pipelines.sync.gates import StalePlanError
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason
from ledger_pipelines_tests.faults.changes import CHANGES
from ledger_pipelines_tests.faults.entries import SETTLEMENTS, Entry, Scene
from ledger_pipelines_tests.faults.exactness import Dump, inexact
from ledger_pipelines_tests.faults.ground import Ground, arriving
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.modes import pressed
from ledger_pipelines_tests.faults.own_cases import OwnCases
from ledger_pipelines_tests.faults.tampering import ALTERATIONS, flipped
from ledger_pipelines_tests.generate import many
from ledger_pipelines_tests.stage import Stage

AFTER_WRITING = "summary_update"
MANY = 1000
WHOLLY = 2
"""The flow each of whose plan's bytes is flipped."""


@dataclass
class _Found:
    """What a case comes to."""

    problems: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)

    def count(self, name: str, number: int) -> None:
        """Add to a figure."""
        self.figures[name] = self.figures.get(name, 0) + number


class PlanDrill(Drill):
    """The drill."""

    name = "plan"
    shows = "apply = plan by key and body; a stale or altered plan is refused; planning writes nothing"

    def prepare(self) -> None:
        """One sandbox for all cases."""
        self._own = OwnCases(self)
        sandbox = self.stack.enter_context(running_sandbox(seed="demo"))
        self._grounds = {
            name: Ground(entry, sandbox, self.setting.folder) for name, entry in SETTLEMENTS.items()
        }
        self._kinds: Mapping[str, Callable[[Entry[Stage], str, _Found], None]] = {
            "exact": self._exact,
            "again": self._again,
            "void": self._void,
            "stale": self._stale,
            "altered": self._altered,
            "flips": self._flips,
            "counted": self._counted,
            "pressed": self._pressed,
        }

    def cases(self) -> Sequence[str]:
        """`INTEGRATION:KIND:WHAT`."""
        found = []
        for entry in SETTLEMENTS.values():
            changes = list(CHANGES.get(entry.name, {"none": None}))
            if self.setting.fast:
                kinds = [("exact", ["small"]), ("void", ["small"]), ("stale", changes[1:2]), ("flips", ["small"]),
                         ("altered", list(ALTERATIONS)[-1:])]  # fmt: skip
            else:
                kinds = [
                    ("exact", list(entry.scenes)), ("again", list(entry.scenes)), ("void", ["small"]), ("stale", changes),
                    ("altered", list(ALTERATIONS)), ("flips", ["small"]), ("counted", [str(MANY)]),
                    ("pressed", ["cli", "dagster", "default"]),
                ]  # fmt: skip
            found += [f"{entry.name}:{kind}:{what}" for kind, names in kinds for what in names]
        return [*found, *self._own.names()]

    def must_reach(self) -> Collection[str]:
        """Every kind of row has to have been carried out, or passed over."""
        return {action.value for action in Action}

    def carry_out(self, case: str) -> Verdict:
        """One case."""
        if self._own.has(case):
            return self._own.carry_out(case)
        name, kind, what = case.split(":", 2)
        found = _Found()
        self._kinds[kind](SETTLEMENTS[name], what, found)
        return Verdict(case, tuple(found.problems), found.figures, frozenset(found.reached))

    # --- apply = plan ----------------------------------------------------------------------------------------------

    def _exact(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """Flow by flow: what arrives and what is there is what the plan lists. Then again, with nothing to do."""
        scene = entry.scenes[what]
        with self._grounds[entry.name].on(scene, leave_out=1) as stage:
            for turn in (1, 2):
                stage.service.read_books(scene.partition)
                effects: list[Effect] = []
                for flow in stage.service.flows:
                    if flow == AFTER_WRITING:
                        stage.service.read_back(scene.partition)
                    self._carried_out(stage, flow, scene, effects, found, turn)

    @staticmethod
    def _carried_out(
        stage: Stage, flow: str, scene: Scene, effects: list[Effect], found: _Found, turn: int
    ) -> None:
        plan = stage.service.plan(flow, scene.partition)
        effects += plan.effects()
        before = Dump(stage.books().dump)
        with arriving() as arrived:
            stage.service.export(flow, scene.partition)
        after = Dump(stage.books().dump)
        found.problems += [f"{flow}: {problem}" for problem in inexact(plan, effects, arrived, before, after)]
        if turn > 1 and (arrived or plan.effects()):
            found.problems.append(
                f"{flow}: planned again without a change, {len(plan.effects())} effects are planned and "
                f"{len(arrived)} records arrive"
            )
        found.count("planned", len(plan.effects()))
        found.count("arrived", len(arrived))
        found.reached |= {row.action.value for row in plan.rows}

    def _again(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """The second apply of the same plan makes no call at all; plans of an unchanged source have no effect."""
        scene = entry.scenes[what]
        with self._grounds[entry.name].on(scene) as stage:
            stage.run(scene.partition)
            books = entry.picture(stage)
            stage.again()
            stage.forget_calls()
            for flow in stage.service.flows:
                result = stage.service.export(flow, scene.partition)
                if result.sends or result.probes:
                    found.problems.append(
                        f"{flow}: the second apply sends {result.sends} and asks {result.probes}"
                    )
            calls = sum(int(call["count"]) for call in stage.calls())
            found.count("calls of a second apply", calls)
            if calls:
                found.problems.append(f"the second apply makes {calls} calls: {stage.calls()}")
            plans = stage.service.plans(None, scene.partition)
            planned = [effect.title for plan in plans for effect in plan.effects()]
            if planned or stage.writes():
                found.problems.append(f"planned without a change: {planned[:5]}; writes {stage.writes()}")
            found.problems += entry.picture(stage).differences(books)

    def _void(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """No integration voids today; the engine and the writer do, and only what the plan names."""
        scene = entry.scenes[what]
        with self._grounds[entry.name].on(scene) as stage:
            service = stage.service
            service.read_books(scene.partition)
            made = service.plan(service.flows[0], scene.partition)
            service.export(service.flows[0], scene.partition)
            victim = made.effects()[-1]
            plan = _voiding(made, victim)
            before = Dump(stage.books().dump)
            with arriving() as arrived:
                for _ in range(2):
                    result = apply(
                        plan,
                        journal=service.journal,
                        writer=service.writer,
                        mode=Mode.LIVE,
                        clock=stage.clock,
                    )
            after = Dump(stage.books().dump)
            found.problems += inexact(plan, [victim, *plan.effects()], arrived, before, after)
            if result.sends or result.exit_code:
                found.problems.append(f"the second void sends {result.sends}: {result.rows}")
            found.reached.add(Action.VOID.value)

    # --- refused ---------------------------------------------------------------------------------------------------

    def _stale(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """A change of any input after planning: refused, in words, and nothing arrives."""
        if entry.name not in CHANGES:
            found.problems.append(
                f"nobody has said what can change for {entry.name}: add it to faults/changes.py"
            )
            return
        change, scene = CHANGES[entry.name][what], entry.scenes["small"]
        with self._grounds[entry.name].on(scene, leave_out=change.leave_out) as stage:
            stage.service.read_books(scene.partition)
            for flow in stage.service.flows:
                if flow != AFTER_WRITING:
                    stage.service.plan(flow, scene.partition)
            old = stage.service.plan(change.flow, scene.partition)
            change.make(stage, scene.partition)
            _point_to(stage, old)
            self._refused(entry, stage, change.flow, scene, found, change.words)

    def _altered(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """A stored plan that somebody edited, with or without making its digest fit."""
        scene, alteration = entry.scenes["small"], ALTERATIONS[what]
        with self._grounds[entry.name].on(scene) as stage:
            stage.service.read_books(scene.partition)
            for flow in stage.service.flows:
                if flow != AFTER_WRITING:
                    stage.service.plan(flow, scene.partition)
            flow = "payments" if "payments" in stage.service.flows else stage.service.flows[0]
            alteration(stage.folder / "data" / "plans", stage.service.plan(flow, scene.partition))
            self._refused(entry, stage, flow, scene, found, ())

    @staticmethod
    def _refused(
        entry: Entry[Stage], stage: Stage, flow: str, scene: Scene, found: _Found, words: tuple[str, ...]
    ) -> None:
        books = entry.picture(stage)
        said = ""
        stage.forget_calls()
        with arriving() as arrived:
            try:
                result = stage.service.export(flow, scene.partition)
                said = f"not refused: {result.counts()}"
                found.problems.append(f"the export of {flow} was {said}")
            except StalePlanError as error:
                said = str(error)
                if not error.difference and words:
                    found.problems.append("the refusal names no difference")
            except Exception as error:  # noqa: BLE001 - which error it must be is told by `words`
                said = f"{type(error).__name__}: {error}"
                if words:
                    found.problems.append(f"refused, but not as stale: {said}")
        found.problems += [f"the refusal does not say {word!r}: {said}" for word in words if word not in said]
        if arrived or stage.writes():
            found.problems.append(f"{len(arrived)} records arrived, {stage.writes()} writing calls")
        found.problems += entry.picture(stage).differences(books)
        found.count("refused", 1)

    def _flips(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """Bytes of stored plans flipped, every one of a payments' plan: never taken for a plan."""
        scene = entry.scenes[what]
        with self._grounds[entry.name].on(scene) as stage:
            stage.service.read_books(scene.partition)
            flows = [flow for flow in stage.service.flows if flow != AFTER_WRITING]
            for number, flow in enumerate(flows):
                plan = stage.service.plan(flow, scene.partition)
                every = 97 if self.setting.fast else 1 if number == WHOLLY else 19
                count, taken = flipped(stage.folder / "data" / "plans", plan, self.setting.seed, every)
                found.count("flips", count)
                found.problems += [f"{flow}: {text}" for text in taken]

    # --- planning writes nothing -----------------------------------------------------------------------------------

    def _counted(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """So many documents planned: no writing call, reads at the minimum; the same digests the second time."""
        del entry  # the only one so far whose business can be made in any number
        name, number = "amazon_netsuite", int(what)
        file = many(number, settlement_id="26700000006")
        scene = Scene(f"many-{number}", file.settlement_id, file.v2())
        with self._grounds[name].on(scene) as stage:
            stage.close_service()
            stage.forget_calls()
            first = stage.service.plans(None, scene.partition)
            calls, writes = stage.calls(), stage.writes()
            documents = sum(len(plan.effects()) for plan in first)
            found.count("documents planned", documents)
            found.count("writing calls", writes)
            if documents < number or writes:
                found.problems.append(f"{documents} documents planned with {writes} writing calls")
            books = stage.service.books(scene.partition)
            asked = len({g.order_id for g in stage.service.groups(scene.partition) if g.order_id})
            lines = sum(len(document.lines) for document in books.documents)
            least = -(-asked // 500) + max(-(-len(books.documents) // 500), -(-lines // 1000)) + LISTS
            made = sum(int(c["count"]) for c in calls if "token" not in c["path"])
            found.count("calls", made)
            found.count("calls that cannot be avoided", least)
            if made > least:
                found.problems.append(f"{made} reading calls where {least} suffice: {calls}")
            stage.clock.jump(3600)
            stage.again()
            second = stage.service.plans(None, scene.partition)
            if [plan.digest for plan in first] != [plan.digest for plan in second]:
                found.problems.append("planned again from the same input, an hour later, the digests differ")

    def _pressed(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """Mode plan: whatever is pressed, nothing arrives; the exit codes are those of the manual."""
        scene = entry.scenes["small"]
        for leave_out in (0, 1):
            with self._grounds[entry.name].on(scene, leave_out=leave_out) as stage, arriving() as arrived:
                found.problems += pressed(what, entry.name, stage, scene.partition, blocked=bool(leave_out))
                if arrived or stage.writes():
                    found.problems.append(f"{len(arrived)} records arrived in mode plan")


def _voiding(made: Plan, victim: Effect) -> Plan:
    """A plan of one row that removes what another plan made."""
    effect = Effect(
        key="VOID" + victim.key[4:], connection=victim.connection, integration=victim.integration, flow=victim.flow,
        partition=victim.partition, kind=victim.kind, action=Action.VOID, external_id=victim.external_id,
        number=victim.number, title=f"Remove {victim.title}", body="{}", target_id=f"$link:{victim.key}",
        depends_on=(victim.key,),
    )  # fmt: skip
    row = PlanRow(
        Action.VOID, Reason("drill", "To be removed."), effect.key, effect.number, effect.title, effect.kind,
        Money.of("1.00", "USD"), effect,
    )  # fmt: skip
    return Plan(
        made.integration, made.flow, made.partition, made.connection, datetime.now(UTC), made.inputs, (row,)
    ).sealed()


def _point_to(stage: Stage, plan: Plan) -> None:
    """Make a plan the latest again: another run may have made its own meanwhile."""
    from ledger_pipelines.sync.plan_store import PlanStore  # noqa: PLC0415 - beside its only use

    PlanStore(stage.folder / "data" / "plans").save(plan)


DRILL = PlanDrill
