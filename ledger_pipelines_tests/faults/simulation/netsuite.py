"""NetSuite's real writer, probe and HTTP stack under the engine, on the sandbox's NetSuite in this process.

Belongs here: documents, accidents, what must hold in NetSuite's books. Does not belong here: the bridge (`house`), the
engine's own accidents with a ledger that minds nothing (`engine`).

The verdict is read from the sandbox's dump and trial balance. NetSuite keeps external ids unique, so a write sent again
in a hurry is not seen in the books; the judge therefore also listens on the line: a write whose ending was ambiguous may
come a second time only after the settle window.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import Action, Effect, EffectState, Expected, Mode
from ledger_pipelines.documents.keys import Json, canonical, effect_key, external_id
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import RefusedError
from ledger_pipelines.sandbox.netsuite.users import full_credentials
from ledger_pipelines.storage.journal import Entry
from ledger_pipelines.sync.acts import retry
from ledger_pipelines.sync.apply import apply, recover, resume
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason
from ledger_pipelines.sync.states import Policy
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.settings import NetSuiteConnection, TokenCredentials
from ledger_pipelines.systems.netsuite.writer import NetSuiteWriter
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.simulation.engine import POINTS
from ledger_pipelines_tests.faults.simulation.house import START, House
from ledger_pipelines_tests.faults.simulation.schedule import MET, STOPS, Crash, Desk, Schedule, pick

NETSUITE = "netsuite"
DAY = date(2026, 9, 14)
BANK, CLEARING = "201", "221"
LATEST, LAG = 580, 30
JOBS: Sequence[float] = (0, 0, 0, 2, 60, 240)
"""Seconds until NetSuite takes up its jobs: with the latest request and the lag of the search still inside the window."""
STEPS = 6
RUNS_TO_SETTLE = 6
WRITES = r"/record/v1/(customerPayment|journalEntry|invoice|salesOrder/[0-9]+/!transform/invoice)"
OWN_POINTS = ("netsuite.answered", "netsuite.submitted")
FAULTS: Sequence[tuple[str, dict[str, Any]]] = (
    ("cut_before", {}),
    ("cut_after", {}),
    ("apply_late", {"seconds": LATEST}),
    ("5xx_before", {"status": 500}),
    ("5xx_after", {"status": 502}),
    ("429", {"retry_after": 2}),
    ("html_200", {"applied": True}),
    ("html_200", {}),
    ("truncated_body", {}),
    ("refuse", {}),
    ("apply_twice", {}),
    ("script_error", {}),
    ("token_revoked", {}),
)
_STEPS: Sequence[tuple[str, float]] = (
    ("apply", 5), ("crash", 4), ("line", 2), ("stop", 2), ("resume", 1.5), ("recover", 1), ("time", 2),
    ("person", 1), ("lose", 0.3),
)  # fmt: skip
_DEFINITE = frozenset({400, 401, 403, 404, 409, 429})


class NetSuiteWorld:
    """One schedule."""

    def __init__(self, schedule: Schedule, desk: Desk, house: House) -> None:
        self.schedule = schedule
        self._desk = desk
        self._house = house
        house.fresh()
        house.before, house.after = self._asked, self._answered
        self.journal = desk.journal(born=START)
        tba = full_credentials()["tba"]
        assert isinstance(tba, dict)
        secrets = (
            Secret(str(tba[name])) for name in ("consumer_key", "consumer_secret", "token_id", "token_secret")
        )
        self._connection = NetSuiteConnection(
            "books", "9123456_SB1", TokenCredentials(*secrets), concurrency=1
        )
        self.policy = Policy(
            lease=timedelta(minutes=40), not_sent_breaker=3, unknown_breaker=3, owner_alive=lambda _: None
        )
        self._lost = False
        self._dies: str = ""
        self._open: dict[str, datetime] = {}
        """Documents whose last write ended ambiguously, and when it was sent."""
        self._coming = self._documents()
        self._effects: list[Effect] = []
        """What the shop has so far; the rest arrives as the schedule goes."""

    def close(self) -> None:
        """Let go of the journal."""
        self.journal.close()

    # --- documents -----------------------------------------------------------------------------------------------

    def _documents(self) -> list[Effect]:
        """Payments of open invoices and journals (batches), invoices of orders (one by one), and payments of those."""
        random = self.schedule.random
        dump = self._house.seeded
        invoices = sorted(dump["records"]["invoice"], key=lambda record: int(record["id"]))
        orders = sorted(dump["records"]["salesOrder"], key=lambda record: int(record["id"]))
        found = [self._payment(record) for record in random.sample(invoices, random.randint(2, 5))]
        found += [self._entry(str(number)) for number in range(random.randint(0, 3))]
        found += [self._invoice(record) for record in random.sample(orders, random.randint(0, 3))]
        random.shuffle(found)
        by_number = {f"I{record['id']}": record for record in orders}
        for made in [effect for effect in found if effect.kind == "invoice" and random.random() < 0.5]:
            found.insert(found.index(made) + 1, self._payment(by_number[made.number], made))
        return found

    def _arrive(self) -> None:
        for _ in range(self.schedule.random.choice([0, 1, 1, 2, 3])):
            if self._coming:
                self._effects.append(self._coming.pop(0))

    def _payment(self, of: Any, made: Effect | None = None) -> Effect:
        amount, name = Decimal(of["total"]), f"P{of['id']}"
        document: Json = {"id": str(of["id"])} if made is None else {"id": {"$link": made.key}}
        body: dict[str, Json] = {
            "customer": {"id": of["entity"]["id"]}, "payment": amount, "undepFunds": False,
            "account": {"id": BANK}, "tranDate": DAY.isoformat(), "autoApply": False, "currency": {"id": "1"},
            "apply": {"items": [{"doc": document, "apply": True, "amount": amount}]},
        }  # fmt: skip
        needs = () if made is None else (made.key,)
        return self._effect("customerPayment", name, body, amount, depends_on=needs)

    def _invoice(self, order: Any) -> Effect:
        body: dict[str, Json] = {"tranDate": DAY.isoformat()}
        return self._effect(
            "invoice", f"I{order['id']}", body, Decimal(order["total"]), origin=f"salesOrder/{order['id']}"
        )

    def _entry(self, name: str) -> Effect:
        amount = Decimal("12.34") + int(name)
        items: list[Json] = [
            {"account": {"id": BANK}, "debit": amount}, {"account": {"id": CLEARING}, "credit": amount},
        ]  # fmt: skip
        body: dict[str, Json] = {
            "subsidiary": {"id": "1"}, "tranDate": DAY.isoformat(), "line": {"items": items},
        }  # fmt: skip
        return self._effect("journalEntry", f"J{name}", body, amount)

    def _effect(self, kind: str, name: str, body: dict[str, Json], amount: Decimal, **more: Any) -> Effect:
        key = effect_key(
            connection="books",
            account="9123456_SB1",
            kind=kind,
            source_system="shop",
            source_id=name,
            purpose="sale",
        )
        return Effect(
            key=key, connection="books", integration="shop_books", flow="sales", partition="26", kind=kind,
            action=Action.CREATE, external_id=external_id("SIM", name), number=name, title=f"{kind} {name}",
            body=canonical({**body, "memo": name}), expected=Expected(Money(amount, "USD"), DAY), **more,
        )  # fmt: skip

    def _plan(self) -> Plan:
        rows = tuple(
            PlanRow(e.action, Reason("new", "It is not there yet."), e.key, e.number, e.title, e.kind, e.expected.amount, e)
            for e in self._effects
        )  # fmt: skip
        return Plan("shop_books", "sales", "26", "books", START, (), rows).sealed()

    # --- the line ------------------------------------------------------------------------------------------------

    def _written(self, request: httpx.Request) -> list[str]:
        """Which documents a call writes, by the number in their memo."""
        if request.method not in {"POST", "PATCH"} or not re.search(WRITES, request.url.path):
            return []
        body = json.loads(request.content)
        return [str(item.get("memo")) for item in body.get("items", [body])]

    def _asked(self, request: httpx.Request) -> None:
        now = self._house.now()
        for name in self._written(request):
            since = self._open.get(name)
            if since is not None and now - since < self._connection.settle_window:
                waited = (now - since).total_seconds()
                self.schedule.complain(
                    f"sent again too early: {name}, {waited:.0f} s after a call whose outcome nobody knows"
                )
            self._open[name] = now
            if self._dies == "before":
                self._dies = ""
                self.schedule.die("line.before_apply")

    def _answered(self, request: httpx.Request, response: httpx.Response | None) -> None:
        names = self._written(request)
        if names and response is not None and response.status_code in _DEFINITE:
            for name in names:
                self._open.pop(name, None)
        if names and response is not None and response.status_code == 202:
            delay = self.schedule.random.choice(JOBS)
            self._house.jobs_at = max(self._house.jobs_at, self._house.now() + timedelta(seconds=delay))
        if names and self._dies == "after":
            self._dies = ""
            self.schedule.die("line.after_apply")

    # --- accidents -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """The schedule, then calm, then the verdict."""
        for _ in range(STEPS):
            self._step()
        self._calm()
        self._judge()

    def _set_faults(self) -> str:
        random = self.schedule.random
        self._house.faults.clear()
        told = []
        for kind, more in random.sample(FAULTS, random.choice([0, 1, 2, 3])):
            if kind == "token_revoked" and random.random() < 0.7:
                continue
            rule = more | ({"seconds": random.randint(1, LATEST)} if kind == "apply_late" else {})
            nth = random.choice([1, 1, 2])
            self._house.set_fault(kind=kind, method="POST", path=WRITES, nth=nth, **rule)
            told.append(f"{kind} of write {nth}")
        if random.random() < 0.2:
            self._house.set_fault(kind="search_lag", seconds=random.randint(1, LAG))
            told.append("search lags")
        if random.random() < 0.15:
            self._house.set_fault(
                kind="5xx_before", path="suiteql", status=503, times=random.choice([1, 2, 7])
            )
            told.append("search is down")
        return ", ".join(told)

    def _step(self) -> None:
        schedule, random = self.schedule, self.schedule.random
        self._arrive()
        told = self._set_faults()
        kind = pick(random, _STEPS)
        schedule.say(f"{self._house.now():%H:%M:%S} {kind} line: {told or 'quiet'}")
        match kind:
            case "apply":
                self._process(self._apply)
            case "crash":
                point = random.choice((*POINTS, *OWN_POINTS, *OWN_POINTS))
                schedule.at(point, random.choice([1, 1, 2]), lambda: schedule.die(point))
                self._process(random.choice([self._apply, self._apply, self._resume]))
            case "line":
                self._dies = random.choice(["before", "after"])
                self._process(self._apply)
                self._dies = ""
            case "stop":
                point = random.choice(POINTS)
                schedule.at(point, random.choice([1, 1, 2]), lambda: self._stopped(point))
                self._process(self._apply)
            case "resume":
                self._process(self._resume)
            case "recover":
                self._process(self._recover)
            case "time":
                self._house.sleep(random.choice([5, 60, 600, 1000, 3000]))
            case "person":
                self._person()
            case "lose" if not self._lost:
                self._lose()
        for fault, count in self._house.struck().items():
            schedule.met[f"{MET}{fault}"] += count

    def _process(self, act: Callable[[NetSuiteWriter], None]) -> None:
        """One life of the program: its own client, its own connections, its own breaker."""
        client = NetSuiteClient(
            self._connection,
            clock=self._house,
            transport=httpx.MockTransport(self._house.handle),
            chance=self.schedule.random,
        )
        try:
            act(NetSuiteWriter(client))
        except Crash:
            pass
        finally:
            faultpoints.install(None)
            client.close()

    def _stopped(self, point: str) -> None:
        faultpoints.install(None)
        schedule = self.schedule
        schedule.met[STOPS + point] += 1
        schedule.say(f"   stops at {point}")
        self._house.sleep(schedule.random.choice([10, 600, 2500, 6000]))
        self._process(self._apply)
        schedule.say("   wakes")

    def _apply(self, writer: NetSuiteWriter) -> None:
        result = apply(
            self._plan(), journal=self.journal, writer=writer, mode=Mode.LIVE, clock=self._house,
            recompute=self._plan, remote_memory=self._lost, policy=self.policy, random=self.schedule.random,
        )  # fmt: skip
        self.schedule.say("   " + ", ".join(f"{row.number} {row.outcome.value}" for row in result.rows))

    def _resume(self, writer: NetSuiteWriter) -> None:
        resume(
            journal=self.journal,
            writer=writer,
            clock=self._house,
            policy=self.policy,
            random=self.schedule.random,
        )

    def _recover(self, writer: NetSuiteWriter) -> None:
        recover(journal=self.journal, writer=writer, clock=self._house, policy=self.policy)

    def _person(self) -> None:
        waiting = {EffectState.HELD, EffectState.REFUSED}
        for entry in self._entries().values():
            if entry.state in waiting:
                self.schedule.met[f"{MET}retry"] += 1
                try:
                    retry(self.journal, [entry.key], who="anna", why="looked at it", clock=self._house)
                except RefusedError as error:
                    self.schedule.say(f"   refused: {error.code}")

    def _lose(self) -> None:
        self.schedule.met[f"{MET}lost journal"] += 1
        self._lost = True
        self.journal.close()
        self.journal = self._desk.journal(born=self._house.now())

    def _entries(self) -> dict[str, Entry]:
        return self.journal.entries(effect.key for effect in self._effects)

    def _calm(self) -> None:
        """Once nothing fails any more, all is in the books in a few runs, and then no call is made."""
        self._effects += self._coming
        self._house.faults.clear()
        for _ in range(RUNS_TO_SETTLE):
            self._house.sleep(3000)
            calls = _total(self._house)
            self._person()
            self._process(self._apply)
            if _total(self._house) == calls:
                return
        self.schedule.complain(f"after {RUNS_TO_SETTLE} quiet runs there is still something to do")

    # --- the judge -----------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        complain = self.schedule.complain
        dump: Any = self._house.vendor.dump()
        trial: Any = self._house.vendor.trial_balance()
        if not trial["balanced"]:
            complain(f"the books do not balance: {trial['currencies']}")
        made = [
            r
            for records in dump["records"].values()
            for r in records
            if str(r.get("externalId", ""))[:4] == "SIM-"
        ]
        for number, count in Counter(str(record.get("memo")) for record in made).items():
            if count > 1:
                complain(f"doubled: {number} is in NetSuite {count} times")
        there = {str(record.get("memo")): record for record in made}
        entries = self._entries()
        for effect in self._effects:
            record, entry = there.get(effect.number), entries.get(effect.key)
            if record is None:
                state = "unknown to the journal" if entry is None else f"{entry.state}: {entry.problem}"
                complain(f"lost: {effect.number} is not in NetSuite, it is {state}")
                continue
            total = Decimal(str(record.get("total") or record.get("payment") or _debits(record)))
            assert effect.expected.amount is not None
            if total != effect.expected.amount.amount:
                complain(
                    f"other total: {effect.number} is in NetSuite with {total}, not {effect.expected.amount}"
                )
            if entry is None or entry.state is not EffectState.CONFIRMED:
                state = "unknown to the journal" if entry is None else f"{entry.state}: {entry.problem}"
                complain(f"not settled: {effect.number} is in NetSuite, in the journal {state}")
            elif entry.remote_id != str(record["id"]):
                complain(f"{effect.number} is confirmed as {entry.remote_id}, it is {record['id']}")
        broken = self.journal.verify()
        if broken is not None:
            complain(f"the log is broken: {broken}")


def _total(house: House) -> int:
    totals: Any = house.calls.as_json()["totals"]
    return sum(totals.values())


def _debits(record: Any) -> Decimal:
    return sum((Decimal(str(line.get("debit") or 0)) for line in record["line"]["items"]), Decimal(0))
