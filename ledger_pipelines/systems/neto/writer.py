"""Writing to Neto: the `Writer` of a store, class B (search by our reference: the SKU).

Belongs here: which call carries which effects, and what came of each. Does not belong here: when to send again (`sync`).
Facts: neto.md 3.2, 3.3, 3.4, 6.3; reliability.md 1.3, 1.4.

Calls: 1 for up to 100 products, or quantities. A call that Neto refuses as a whole (`Ack: Error`: nothing was done) is sent
again in halves, so that one bad product does not stop its neighbours: about 14 calls more for one among 100.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    CredentialsRefused,
    Effect,
    Ending,
    Exists,
    NotSent,
    Prepared,
    Refused,
    Remote,
    Unknown,
    WriteClass,
)
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import CredentialError, LedgerError, TransientError, UnknownOutcomeError
from ledger_pipelines.faultpoints import reached
from ledger_pipelines.systems.http import Answer, classify
from ledger_pipelines.systems.neto.client import NetoAnswer, NetoClient, read_answer
from ledger_pipelines.systems.neto.probe import ITEM, MOST, STOCK, Probe
from ledger_pipelines.systems.neto.shapes import as_list
from ledger_pipelines.systems.neto.strange import strange

ACTIONS: Final = {(ITEM, Action.CREATE): "AddItem", (STOCK, Action.UPDATE): "UpdateItem"}
REFUSED: Final = "neto-refused"
SAME_WORDS: Final = 3
"""So many products alone refused in the words of the whole call: the words are not about one product."""
_TAKEN: Final = re.compile(
    r"already\s+(?:exists|in\s+use|been\s+used)|duplicate|must\s+be\s+unique", re.IGNORECASE
)


class NetoWriter:
    """Implements `documents.effects.Writer`. Safe to share between threads.

    Args:
        client: The store's calls.
        settle_window: How long Neto may still be at work on a lost request: it does not say, so it is a setting.
        name: Of the connection; "" = the client's.
        workers: Most calls under way at once.
    """

    def __init__(
        self, client: NetoClient, settle_window: timedelta, *, name: str = "", workers: int = 2
    ) -> None:
        self._client = client
        self._settle_window = settle_window
        self._name = name or client.connection.name
        self._workers = workers
        self._probe = Probe(client)

    @property
    def connection(self) -> str:
        """Name of the connection."""
        return self._name

    @property
    def write_class(self) -> WriteClass:
        """B: products are found by SKU; no key of ours goes along (neto.md 13)."""
        return WriteClass.SEARCH

    @property
    def settle_window(self) -> timedelta:
        """From the connection's settings."""
        return self._settle_window

    @property
    def batch_size(self) -> int:
        """As many products as one call carries safely (neto.md 2.2)."""
        return MOST

    @property
    def workers(self) -> int:
        """As given."""
        return self._workers

    def batch_key(self, effect: Effect) -> str | None:
        """New products go together, and so do quantities."""
        return ACTIONS.get((effect.kind, effect.action))

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        """Write; one ending for each, in order. Never raises for anything Neto or the network does."""
        actions = {self.batch_key(one.effect) for one in batch}
        if len(actions) != 1 or None in actions:
            return [self._alone(one) for one in batch]
        (action,) = actions
        return self._sent(str(action), batch, _Refusals())

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        """What the store holds; see `Probe.find`.

        Raises:
            TransientError, CredentialError: Neto was not reached, or refuses us.
            UnknownOutcomeError: it answered, and nothing is learnt from it.
        """
        try:
            return self._probe.find(effects)
        except (TransientError, CredentialError):
            raise
        except (LedgerError, ArithmeticError) as error:
            raise UnknownOutcomeError(f"Looking products up in Neto taught nothing: {error}") from error

    def _alone(self, prepared: Prepared) -> Ending:
        action = self.batch_key(prepared.effect)
        if action is None:
            effect = prepared.effect
            return Refused(
                "neto-not-supported", f"Neto's API has no {effect.action.value} of a {effect.kind}."
            )
        return self._sent(action, [prepared], _Refusals())[0]

    def _sent(self, action: str, batch: Sequence[Prepared], refusals: _Refusals) -> list[Ending]:
        if refusals.stopped is not None:
            return [refusals.stopped] * len(batch)
        try:
            answer = self._client.write(action, {"Item": [_wish(one) for one in batch]})
        except LedgerError as error:
            return self._same(classify(error) or Unknown(str(error)), batch, refusals)
        reached("neto.answered")
        read = read_answer(action, answer, self._client.redactor)
        if read is None:
            return self._same(self._without_words(action, answer), batch, refusals)
        if not read.refused:
            return _endings(read, batch)
        if _listed(read.body):
            both = f"{action}: Neto says that nothing was done ({read.text}), and lists products as done; the store is asked."
            return self._same(Unknown(both), batch, refusals)
        if read.bad_key:
            return self._same(
                CredentialsRefused(f"Neto refuses the key or its rights: {read.text}"), batch, refusals
            )
        if len(batch) == 1:
            refusals.add(read.text)
            return [_no(read.text)]
        middle = len(batch) // 2
        return [
            *self._sent(action, batch[:middle], refusals),
            *self._sent(action, batch[middle:], refusals),
        ]

    def _without_words(self, action: str, answer: Answer) -> Ending:
        """What an answer that is not Neto's own means for the records of the call."""
        general = classify(answer)
        if general is not None and not isinstance(general, Unknown):
            return general
        if answer.status == 403 and not answer.is_html:
            return CredentialsRefused("Neto refuses the key or its rights (HTTP 403).")
        came = self._client.redactor.clean(strange(answer).text)
        return Unknown(f"{action}: {came}. It does not tell what was written; the store is asked.")

    @staticmethod
    def _same(ending: Ending, batch: Sequence[Prepared], refusals: _Refusals) -> list[Ending]:
        """All share the call's ending; what was not sent yet is not sent after it."""
        if isinstance(ending, NotSent | CredentialsRefused):
            refusals.stopped = ending
        elif isinstance(ending, Unknown):
            refusals.stopped = NotSent("An earlier call ended unclear; this one was not sent.")
        return [ending] * len(batch)


@dataclass
class _Refusals:
    """What the calls of one batch came to so far. stopped: the ending of all that follow, without a call."""

    texts: list[str] = field(default_factory=list)
    stopped: Ending | None = None

    def add(self, text: str) -> None:
        """One product alone was refused in these words."""
        self.texts.append(text)
        if self.texts.count(text) >= SAME_WORDS:
            self.stopped = _no(text)


def _wish(prepared: Prepared) -> Json:
    """The entry of one effect in the call's list."""
    effect, body = prepared.effect, prepared.body
    if effect.kind == STOCK:
        level: dict[str, Json] = {
            "WarehouseID": body.get("WarehouseID"), "Quantity": _plain(body.get("Quantity")), "Action": "set",
        }  # fmt: skip
        return {"SKU": effect.external_id, "WarehouseQuantity": level}
    return {**body, "SKU": effect.external_id}


def _plain(quantity: Json) -> Json:
    """Neto's numbers are texts (neto.md 4.1)."""
    return None if quantity is None else str(quantity)


def _no(text: str) -> Ending:
    return Exists(text) if _TAKEN.search(text) else Refused(REFUSED, text)


def _endings(answer: NetoAnswer, batch: Sequence[Prepared]) -> list[Ending]:
    """What a call that ran came to for each: products it lists were done, those a warning names were not."""
    done = _listed(answer.body)
    named = [_naming(answer.warnings, one.effect.external_id) for one in batch]
    stray = [text for text in answer.warnings if not any(text in some for some in named)]
    if len(batch) == 1:
        named, stray = [list(answer.warnings)], []
    return [_one(one.effect, done, said, stray) for one, said in zip(batch, named, strict=True)]


def _one(effect: Effect, done: Mapping[str, str], said: Sequence[str], stray: Sequence[str]) -> Ending:
    sku = effect.external_id
    if sku not in done:
        if said:
            return _no("; ".join(said))
        return Unknown(
            f"Neto did not say what became of {sku}." + (f" It said: {'; '.join(stray)}" if stray else "")
        )
    if effect.kind == STOCK and (said or stray):
        # the product was found, but something of the call was left out: perhaps this quantity
        return Unknown(f"Neto lists {sku} as done, and says: {'; '.join((*said, *stray))}")
    told = "" if effect.kind == STOCK else done[sku]
    return Confirmed(Remote(told or sku, sku, sku))


def _listed(body: Mapping[str, Json]) -> dict[str, str]:
    """SKUs the answer lists, with their InventoryID where it tells: objects, one bare or many, or bare texts (4.2)."""
    found: dict[str, str] = {}
    for one in as_list(body.get("Item")):
        if isinstance(one, dict):
            found[str(one.get("SKU", ""))] = str(one.get("InventoryID") or "")
        else:
            found[str(one)] = ""
    return found


def _naming(texts: Sequence[str], sku: str) -> list[str]:
    """Texts that name a SKU whole, not as part of a longer one."""
    whole = re.compile(rf"(?<![\w.-]){re.escape(sku)}(?![\w-]|\.\w)", re.IGNORECASE)
    return [text for text in texts if whole.search(text)]
