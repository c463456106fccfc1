"""Storing plans and getting the identical plan back.

Belongs here: the codec between `Plan` and lines of JSON. Does not belong here: files (`storage.plans`).

First line: the head (everything but the rows, and how many there are). Then one line a row. Decimals are text. Last line:
the hash of all lines before it. The digest covers what is written; this covers the rest, too: titles, reasons, remedies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from ledger_pipelines import faultpoints
from ledger_pipelines.errors import DataError, RefusedError
from ledger_pipelines.memory import making_many
from ledger_pipelines.storage.atomic import Sync
from ledger_pipelines.storage.plans import PlanFiles
from ledger_pipelines.sync.plan import Plan, PlanRow

FORMAT = 2
WITHOUT_SEAL = 1
"""The format of plans stored before the last line was there."""


@dataclass(frozen=True, slots=True)
class _Head:
    format: int
    integration: str
    flow: str
    partition: str
    connection: str
    made_at: datetime
    inputs: tuple[tuple[str, str], ...]
    digest: str
    notes: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class _Seal:
    sha256: str


_SEAL = msgspec.json.Decoder(_Seal)
_HEAD = msgspec.json.Decoder(_Head)
_ROW = msgspec.json.Decoder(PlanRow)
_ENCODER = msgspec.json.Encoder(decimal_format="string")


class PlanStore:
    """The plans under one folder."""

    def __init__(self, root: Path) -> None:
        self._files = PlanFiles(root)

    def save(self, plan: Plan) -> Path:
        """Store a sealed plan and make it its partition's latest. Returns the file.

        Raises:
            RefusedError: the plan is not sealed, or was altered.
        """
        if plan.digest != plan.computed_digest():
            raise RefusedError(
                "The plan does not fit its digest.", remedy="Seal it first.", code="plan-altered"
            )
        faultpoints.reached("plan.before_store")
        sync = Sync.ALL if plan.effects() else Sync.NOTHING
        path = self._files.write(plan.digest, _sealed(_lines(plan)), sync)
        self._files.point(plan.integration, plan.flow, plan.partition, plan.digest, sync)
        faultpoints.reached("plan.stored")
        return path

    def latest(self, integration: str, flow: str, partition: str) -> Plan | None:
        """The partition's latest plan; None when none was ever made."""
        digest = self._files.latest(integration, flow, partition)
        return None if digest is None else self.by_digest(digest)

    def by_digest(self, digest: str) -> Plan | None:
        """A plan by the beginning (8 characters or more) or the whole of its digest; None when there is none.

        Raises:
            DataError: the file is damaged, or the beginning fits several.
        """
        if 8 <= len(digest) < 64:
            fitting = [known for known in self._files.digests() if known.startswith(digest)]
            if len(fitting) > 1:
                raise DataError(
                    f"{digest} fits {len(fitting)} plans.", remedy="Give more of it.", code="digest-ambiguous"
                )
            if not fitting:
                return None
            digest = fitting[0]
        lines = self._files.read(digest)
        return None if lines is None else _plan(lines, digest)


def _sealed(lines: Iterable[bytes]) -> Iterator[bytes]:
    state = hashlib.sha256()
    for line in lines:
        state.update(line + b"\n")
        yield line
    yield _ENCODER.encode(_Seal(state.hexdigest()))


def _unsealed(lines: list[bytes]) -> list[bytes]:
    """The lines without the last one, which must fit them. Raises ValueError, msgspec.DecodeError, IndexError."""
    if _HEAD.decode(lines[0]).format == WITHOUT_SEAL:
        return lines
    *covered, last = lines
    state = hashlib.sha256()
    for line in covered:
        state.update(line + b"\n")
    if _SEAL.decode(last).sha256 != state.hexdigest():
        raise ValueError("the seal does not fit")
    return covered


def _lines(plan: Plan) -> Iterator[bytes]:
    yield _ENCODER.encode(
        _Head(
            FORMAT,
            plan.integration,
            plan.flow,
            plan.partition,
            plan.connection,
            plan.made_at,
            plan.inputs,
            plan.digest,
            plan.notes,
            len(plan.rows),
        )
    )
    for row in plan.rows:
        yield _ENCODER.encode(row)


def _plan(lines: list[bytes], digest: str) -> Plan:
    try:
        lines = _unsealed(lines)
        head = _HEAD.decode(lines[0])
        with making_many():
            rows = tuple(_ROW.decode(line) for line in lines[1:])
    except (
        ValueError,
        ArithmeticError,
        IndexError,
    ) as error:  # msgspec's are ValueErrors, those of text, too
        raise _damaged(digest) from error
    plan = Plan(
        head.integration,
        head.flow,
        head.partition,
        head.connection,
        head.made_at,
        head.inputs,
        rows,
        head.digest,
        head.notes,
    )
    if head.rows != len(rows) or head.digest != digest or plan.computed_digest() != digest:
        raise _damaged(digest)
    return plan


def _damaged(digest: str) -> DataError:
    return DataError(
        f"The stored plan {digest[:12]} is damaged or was altered.",
        remedy="Make the plan again.",
        code="plan-damaged",
    )
