"""lag: a search that is behind, and requests applied late: up to the settle window, and beyond it.

Belongs here: the cases, and the verdict on them. Does not belong here: the tiny ledger (`engine_server`), a whole
integration (`chain_case`).

Up to the window, whatever is asked at whatever instant: nothing doubled, nothing lost, no person needed (but class C).
Beyond it the declaration was wrong. Nothing may be sent again that is there all the same: a search which does not show
what the target itself confirmed proves nothing, so the row is held; it is adopted when it appears, and sent only when
the search has caught up and it still is not there. A request that is applied later than declared, while the search is
current, is for classes A (one key, one document) and C (held) only: of B nobody can tell (docs/engine.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ledger_pipelines.documents.effects import EffectState, WriteClass
from ledger_pipelines.sync.states import SEARCH_BEHIND, UNSEARCHABLE
from ledger_pipelines_tests.faults import chain_child, engine_child
from ledger_pipelines_tests.faults.chain_case import Chain, ChainCase
from ledger_pipelines_tests.faults.engine_case import Engine, EngineCase, Run, unexplained
from ledger_pipelines_tests.faults.engine_child import WINDOW
from ledger_pipelines_tests.faults.engine_server import Kind, LedgerServer, Trouble
from ledger_pipelines_tests.faults.entries import ENTRIES
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.nursery import Nursery
from ledger_pipelines_tests.stage import WINDOW as CHAIN_WINDOW

LEDGER = "ledger"
DECLARED = WINDOW.total_seconds()
WITHIN = (0.5, 5.5, 12.5, 19.5)
BEYOND = (DECLARED + 3, 6 * DECLARED)
ASKED = (0.5, 5.6, 9.5, 13.0, 19.0, DECLARED + 1)
"""When it is looked for, in seconds after the answers were lost."""
LATE, BEHIND, GONE = "late", "behind", "gone"
"""Applied late; applied at once and shown late; never applied, by a target whose search is behind."""


@dataclass(frozen=True, slots=True)
class Lag:
    """`ledger:CLASS:SHAPE:WHAT:SECONDS`."""

    write_class: WriteClass
    shape: str
    what: str
    seconds: float

    @property
    def name(self) -> str:
        """What `--case` takes."""
        return f"{LEDGER}:{self.write_class.value}:{self.shape}:{self.what}:{self.seconds:g}"

    @classmethod
    def parse(cls, name: str) -> Lag:
        """Read `name`. Raises ValueError."""
        _, write_class, shape, what, seconds = name.split(":")
        return cls(WriteClass(write_class), shape, what, float(seconds))

    @property
    def beyond(self) -> bool:
        """Whether the target breaks its declaration."""
        return self.seconds > DECLARED

    @property
    def trouble(self) -> Trouble:
        """What happens to the second and the third write."""
        if self.what == LATE:
            return Trouble(Kind.LATE, seconds=self.seconds)
        return Trouble(Kind.CUT_AFTER if self.what == BEHIND else Kind.CUT_BEFORE)


class DRILL(Drill):
    """See the module."""

    name = "lag"
    shows = "search lag and late apply: nothing doubled up to the settle window; beyond it held, never resent"
    weight = 2

    _chain: Chain | None = None

    def prepare(self) -> None:
        """The tiny ledger and its children."""
        server = self.stack.enter_context(LedgerServer())
        folder = self.setting.folder / "warm"
        folder.mkdir()
        modules = (
            [engine_child.__name__] if self.setting.fast else [engine_child.__name__, chain_child.__name__]
        )
        self.nursery = self.stack.enter_context(Nursery(modules, partial(engine_child.warm, folder)))
        self.engine = Engine(self.nursery, server, self.setting.folder, self.setting.seed)

    def cases(self) -> Sequence[str]:
        """Each class and shape at each lag; and the integrations on their sandboxes."""
        found = [lag.name for lag in self._lags()]
        if not self.setting.fast:
            for entry in ENTRIES.values():
                make = partial(ChainCase, entry.name, "small", ())
                found += [make(f"search_lag@{seconds}&cut_after").name for seconds in entry.lags]
                found += [make(f"apply_late@{seconds}").name for seconds in entry.lates]
        return found

    def _lags(self) -> Iterator[Lag]:
        a, b, c = WriteClass.NATIVE_KEY, WriteClass.SEARCH, WriteClass.NEITHER
        if self.setting.fast:
            yield Lag(b, "flat", LATE, 12.5)
            yield Lag(b, "flat", BEHIND, 19.5)
            yield Lag(b, "flat", BEHIND, 2 * DECLARED)
            yield Lag(b, "steps", GONE, 2 * DECLARED)
            yield Lag(c, "flat", LATE, 2 * DECLARED)
            return
        for shape in ("flat", "steps"):
            for seconds in WITHIN:
                for write_class in (a, b, c):
                    yield Lag(write_class, shape, LATE, seconds)
                for what in (BEHIND, GONE):
                    yield from (Lag(write_class, shape, what, seconds) for write_class in (a, b))
            for seconds in BEYOND:
                yield from (Lag(write_class, shape, LATE, seconds) for write_class in (a, c))
                for what in (BEHIND, GONE):
                    yield from (Lag(write_class, shape, what, seconds) for write_class in (a, b))

    def carry_out(self, case: str) -> Verdict:
        """One case."""
        if not case.startswith(f"{LEDGER}:"):
            return self._on_sandbox(ChainCase.parse(case))
        lag = Lag.parse(case)
        run = Run(self.engine, EngineCase(lag.write_class, lag.shape), lag.trouble)
        if lag.what != LATE:
            run.books.lag = lag.seconds
        try:
            return _looked_at(lag, run)
        finally:
            run.close()

    def _on_sandbox(self, case: ChainCase) -> Verdict:
        if self._chain is None:
            self._chain = Chain(self.setting.folder, self.setting.seed, self.stack, self.nursery)
        seconds = float(case.trouble.partition("@")[2].partition("&")[0])
        # Every step of the chain is that far behind: starts are as far apart that twelve of them see the end of it, and near
        # enough that each is asked about while the search is still behind its window.
        late = seconds if case.trouble.startswith("apply_late") and seconds > CHAIN_WINDOW else 0
        return self._chain.carry_out(case, max(6.5, seconds / 2), late)


def _looked_at(lag: Lag, run: Run) -> Verdict:
    """Start once, then at each instant that is asked about; then let all lags pass."""
    run.start()
    lost_at = run.clock.now()
    held = 0
    for asked in (*ASKED, *((lag.seconds - 1, lag.seconds + DECLARED + 2) if lag.beyond else ())):
        ahead = asked - (run.clock.now() - lost_at).total_seconds()
        if ahead > 0:
            run.clock.jump(ahead)
        written = _writes(run)
        run.start()
        run.problems += unexplained(run.entries())
        run.problems += _doubled(run)
        if lag.beyond and asked < lag.seconds:
            held += _must_be_held(lag, run, written, asked)
    if lag.write_class is WriteClass.NEITHER:
        run.person(run.entries())
    for _ in range(4):
        run.clock.jump(DECLARED + 1)
        run.start()
        if all(entry.state is EffectState.CONFIRMED for entry in run.entries()):
            break
    else:
        run.problems.append("still open after all lags have passed")
    read = run.read()
    figures = dict(read.figures) | {"held": held}
    return Verdict(lag.name, read.problems, figures)


def _must_be_held(lag: Lag, run: Run, written: Counter[str], asked: float) -> int:
    """While the search is behind, what was lost is not sent again; once the window is over, it is held."""
    lost = {name for name, count in written.items() if count and name in run.books.lost}
    if lag.write_class is WriteClass.NATIVE_KEY:
        return 0
    again = {name for name in lost if _writes(run)[name] > written[name]}
    run.problems += [f"{name} was sent again {asked:g} s after its answer was lost" for name in sorted(again)]
    if asked <= DECLARED and lag.write_class is WriteClass.SEARCH:
        return 0
    code = UNSEARCHABLE if lag.write_class is WriteClass.NEITHER else SEARCH_BEHIND
    rows = {entry.effect.external_id: entry for entry in run.entries()}
    found = 0
    for name in sorted(lost):
        row = rows[name]
        if row.state is EffectState.HELD and row.problem is not None and row.problem.code == code:
            found += 1
        else:
            run.problems.append(
                f"{name} is {row.state.value}, not held ({code}), {asked:g} s after its answer was lost"
            )
    return found


def _writes(run: Run) -> Counter[str]:
    return Counter(run.books.written)


def _doubled(run: Run) -> list[str]:
    held = Counter(document.external_id for document in run.books.dump())
    return [f"doubled: {name} is there {count} times" for name, count in held.items() if count > 1]
