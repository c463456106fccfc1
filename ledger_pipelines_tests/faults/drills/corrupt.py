"""Every proper prefix of a settlement, and every byte of it changed: the same total, or a refusal by name.

Belongs here: the damage and the verdict on it. Does not belong here: the files, and the independent reading they are
compared with (`corrupt_subjects`).

A damaged file may be accepted when what is damaged is text: then the stored rows (read back from the Parquet file) must
hold exactly what the damaged bytes state, with every amount as it was. It is refused whenever the damage touches an
amount, the total, the currency or the settlement's id. Nothing may be raised but a refusal with a code and a remedy.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from ledger_pipelines.systems.amazon.settlement.findings import SettlementRefusedError
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions, ReadSettlement
from ledger_pipelines.systems.amazon.settlement.reader import read_settlement
from ledger_pipelines_tests.faults.drills.corrupt_subjects import Line, Stated, Subject, subjects
from ledger_pipelines_tests.faults.kit import Drill, Verdict

CURRENCIES = ("USD", "EUR", "GBP", "CAD", "JPY")
LONG = "v2"
BLOCK = 512
SAMPLED = {"v2-comma": 3}
"""Subjects that differ from another in the style of numbers only: every so many positions."""
NASTY = b"\x00\xff-\n\t \r0.,"
_FAST_SHARE = {LONG: 60, "v2-comma": 60, "v1": 60, "xml": 60}
"""Damages of each kind in the fast tier, by subject."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One damage: the file cut to `position` bytes, or the byte there replaced by `value`."""

    subject: str
    position: int
    value: int | None

    @property
    def name(self) -> str:
        """As `--case` takes it."""
        if self.value is None:
            return f"{self.subject}:prefix:{self.position}"
        return f"{self.subject}:flip:{self.position}:0x{self.value:02x}"

    @property
    def fast(self) -> bool:
        """Whether the fast way of reading is tried first, as in production; of the long file at every sixteenth byte.

        The careful way decides whatever the fast one does not accept; both give one verdict (a property test).
        """
        return self.subject != LONG or self.position % 16 == 0

    def of(self, content: bytes) -> bytes:
        """The damaged file."""
        if self.value is None:
            return content[: self.position]
        return content[: self.position] + bytes([self.value]) + content[self.position + 1 :]


def natural(byte: int, chooser: random.Random) -> int:
    """What a byte is most dangerously mistaken for: a digit for another, a letter for another, a tab for a blank."""
    shown = chr(byte)
    if shown.isdigit():
        return ord(chooser.choice([d for d in "0123456789" if d != shown]))
    if shown.isalpha():
        return byte ^ chooser.choice([0x20, 0x01, 0x02])
    kin = {
        "\t": b" \n",
        "\n": b"\t \r",
        ".": b",0",
        ",": b".0",
        "-": b" 1+",
        " ": b"\t_",
        "<": b" >",
        ">": b" <",
    }
    return chooser.choice(kin.get(shown, NASTY))


def values(subject: str, seed: int, position: int, byte: int) -> list[int]:
    """The bytes this one is replaced by: one it is mistaken for; at every fourth of short files a nasty one, too."""
    chooser = random.Random(f"{seed}:{subject}:{position}")
    chosen = [natural(byte, chooser)]
    if subject != LONG and position % 4 == 0:
        chosen.append(chooser.choice([*NASTY, chooser.randrange(256)]))
    return [value for value in dict.fromkeys(chosen) if value != byte]


class CorruptDrill(Drill):
    """See the module."""

    name = "corrupt"
    shows = "every prefix and every changed byte of a settlement: same total or refused, never another"
    shards = 2
    weight = 2

    def prepare(self) -> None:
        """A folder, and what each subject states undamaged."""
        self._work = self.setting.folder
        self._stated = {name: one.stated for name, one in subjects().items()}

    def cases(self) -> Sequence[str]:
        """Blocks of positions, so that a process carries out many; each subject undamaged first."""
        whole = [f"{name}:whole" for name in subjects()]
        if self.setting.fast:
            return [*whole, *(f"{name}:sample" for name in subjects())]
        blocks = [
            f"{name}:{kind}:{start}-{min(start + BLOCK, len(one.content)) - 1}"
            for name, one in subjects().items()
            for kind in ("prefix", "flip")
            for start in range(0, len(one.content), BLOCK)
        ]
        return [*whole, *blocks]

    def carry_out(self, case: str) -> Verdict:
        """One block, one sample, or one damage by its name."""
        name, kind, *rest = case.split(":")
        subject = subjects()[name]
        figures: Counter[str] = Counter()
        problems = self._undamaged(subject)
        repeat = ""
        if problems:
            return Verdict(case, tuple(problems), dict(figures), repeat=f"{name}:whole")
        for damage in self._damages(subject, kind, rest):
            outcome, found = self._damaged(subject, damage)
            figures[outcome] += 1
            figures["damages"] += 1
            if found and not problems:
                repeat = damage.name
            problems += [f"{damage.name}: {problem}" for problem in found]
        return Verdict(case, tuple(problems), dict(figures), repeat=repeat)

    def _damages(self, subject: Subject, kind: str, rest: Sequence[str]) -> Iterator[Damage]:
        name, content, seed = subject.name, subject.content, self.setting.seed
        if kind == "sample":
            chooser = random.Random(f"{seed}:{name}")
            for _ in range(_FAST_SHARE[name]):
                yield Damage(name, chooser.randrange(len(content)), None)
                position = chooser.randrange(len(content))
                yield Damage(name, position, chooser.choice(values(name, seed, position, content[position])))
            return
        if kind == "whole":
            return
        first, _, last = rest[0].partition("-")
        for position in range(int(first), int(last or first) + 1):
            if last and name in SAMPLED and position % SAMPLED[name]:
                continue
            if kind == "prefix":
                yield Damage(name, position, None)
            elif len(rest) > 1:
                yield Damage(name, position, int(rest[1], 16))
            else:
                for value in values(name, seed, position, content[position]):
                    yield Damage(name, position, value)

    # --- the verdict -------------------------------------------------------------------------------------------------

    def _read(self, content: bytes, *, fast: bool = True) -> ReadSettlement | SettlementRefusedError:
        path = self._work / "settlement.txt"
        path.write_bytes(content)
        options = ReadOptions(currencies=CURRENCIES, fast=fast)
        try:
            return read_settlement(path, self._rows, self._work, options)
        except SettlementRefusedError as refusal:
            return refusal

    @property
    def _rows(self) -> Path:
        return self._work / "rows.parquet"

    def _undamaged(self, subject: Subject) -> list[str]:
        """The file as it was written must be accepted, to the cent, every line of it: else nothing is shown."""
        stated = self._stated[subject.name]
        got = self._read(subject.content)
        if stated.sum != stated.total:
            return [f"the drill's own file does not foot: {stated.sum} instead of {stated.total}"]
        if isinstance(got, SettlementRefusedError):
            return [f"the undamaged file is refused: {got}"]
        return _differences(subject, got, stated, stored(self._rows, full=subject.full))

    def _damaged(self, subject: Subject, damage: Damage) -> tuple[str, list[str]]:
        """What came of it, and what is wrong with that."""
        base = self._stated[subject.name]
        content = damage.of(subject.content)
        try:
            got = self._read(content, fast=damage.fast)
        except Exception as error:  # noqa: BLE001 - a traceback is what must not happen
            return "tracebacks", [f"{type(error).__name__}: {error}"]
        if isinstance(got, SettlementRefusedError):
            named = (
                got.code
                and got.message
                and all(finding.remedy or finding.message for finding in got.findings)
            )
            return "refused", [] if named else [f"refused without a name: {got.code!r} {got}"]
        rows = stored(self._rows, full=subject.full)
        try:
            stated = subject.read(content)
        except (ValueError, KeyError, IndexError) as error:
            return "accepted", [
                f"accepted with {got.summary.total}, but it cannot be read independently: {error}"
            ]
        problems = _differences(subject, got, stated, rows)
        # a stray digit in an empty money column of a row without money is an amount of nothing, and is kept as such
        was = (
            base.settlement_id,
            base.currency,
            base.total,
            [line.amount for line in base.lines if line.amount],
        )
        summary = got.summary
        now = (
            summary.settlement_id,
            summary.currency,
            summary.total,
            [line.amount for line in rows if line.amount],
        )
        for what, before, after in zip(
            ("settlement id", "currency", "total", "amounts"), was, now, strict=True
        ):
            # in XML the id stands once: nothing in the file can tell that a digit of it was another
            once = what == "settlement id" and subject.content.count(before.encode()) == 1
            if before != after and not once:
                problems.append(f"accepted with another {what}: {after} instead of {before}")
        return "accepted", problems


def stored(path: Path, *, full: bool) -> tuple[Line, ...]:
    """The rows as they lie in the Parquet file."""
    names = ["order_id", "sku", "amount"]
    names += ["transaction_type", "amount_type", "amount_description", "quantity"] if full else []
    with pq.ParquetFile(path) as file:
        table = file.read(columns=names, use_threads=False)
    columns = [table.column(name).to_pylist() for name in names]
    if not full:
        return tuple(Line(*cells) for cells in zip(*columns, strict=True))
    return tuple(
        Line(order_id, sku, amount, f"{kind}/{amount_type}/{text}", "" if quantity is None else str(quantity))
        for order_id, sku, amount, kind, amount_type, text, quantity in zip(*columns, strict=True)
    )


def _differences(subject: Subject, got: ReadSettlement, stated: Stated, rows: tuple[Line, ...]) -> list[str]:
    """Where what was accepted is not what the bytes state."""
    summary = got.summary
    problems = []
    if (summary.total, summary.currency, summary.settlement_id) != (
        stated.total, stated.currency, stated.settlement_id,
    ):  # fmt: skip
        problems.append(f"the summary is {summary}, the file states {stated.total} {stated.currency}")
    total = sum((line.amount for line in rows), type(stated.total)(0))
    if total != stated.total or got.sum != stated.total:
        problems.append(f"stored {total}, reported {got.sum}, stated {stated.total}")
    if rows == stated.lines:  # to the letter; most of the time
        return problems
    mine = [_comparable(line) for line in rows]
    theirs = [_comparable(line) for line in stated.lines]
    if mine != theirs:
        at = next((n for n, pair in enumerate(zip(mine, theirs, strict=False)) if pair[0] != pair[1]), -1)
        problems.append(
            f"{len(mine)} rows stored, {len(theirs)} in the file of {subject.name}; the first that differs is no. {at + 1}:"
            f" {mine[at : at + 1]} instead of {theirs[at : at + 1]}"
        )
    return problems


def _comparable(line: Line) -> Line:
    """Quantities as numbers: `02` and `2` are the same."""
    quantity = line.quantity
    return line if not quantity else Line(line.order_id, line.sku, line.amount, line.kind, str(int(quantity)))


DRILL = CorruptDrill
