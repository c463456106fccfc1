"""A NetSuite made of canned answers, a clock that jumps, and effects to write."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from ledger_pipelines.documents.effects import Action, Effect, Expected, Prepared
from ledger_pipelines.documents.keys import canonical, decode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.settings import NetSuiteConnection, TokenCredentials
from ledger_pipelines.systems.secrets import Secret

BASE = "https://9123456-sb2.suitetalk.api.netsuite.com"


class FakeClock:
    def __init__(self, now: datetime = datetime(2026, 9, 20, 12, tzinfo=UTC)) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


TBA = TokenCredentials(
    Secret("ck-demo-0001"),
    Secret("cs-demo-secret-0001"),
    Secret("tk-demo-0001"),
    Secret("ts-demo-secret-0001"),
)


def connection(**more: Any) -> NetSuiteConnection:
    return NetSuiteConnection(**({"name": "books", "account": "9123456_SB2", "credentials": TBA} | more))


Handler = Callable[[httpx.Request], httpx.Response]


@dataclass
class Asked:
    method: str
    path: str
    query: str
    headers: httpx.Headers
    body: Any


@dataclass
class FakeNetSuite:
    """Answers by the first route whose pattern matches `METHOD path`; keeps what was asked."""

    routes: list[tuple[str, Handler | httpx.Response | Exception]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def on(self, pattern: str, answer: Handler | httpx.Response | Exception) -> FakeNetSuite:
        self.routes.append((pattern, answer))
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        content = request.content
        body = decode(content) if content[:1] in b"{[" and content else content.decode()
        self.asked.append(
            Asked(request.method, request.url.path, request.url.query.decode(), request.headers, body)
        )
        for pattern, answer in self.routes:
            if re.fullmatch(pattern, f"{request.method} {request.url.path}"):
                if isinstance(answer, Exception):
                    raise answer
                return answer if isinstance(answer, httpx.Response) else answer(request)
        return httpx.Response(404, json={"title": "Not Found", "status": 404})

    def client(self, clock: FakeClock | None = None, **more: Any) -> NetSuiteClient:
        return NetSuiteClient(
            connection(**more), clock=clock or FakeClock(), transport=httpx.MockTransport(self)
        )

    def paths(self) -> list[str]:
        return [f"{a.method} {a.path}" for a in self.asked]


SUITEQL = "POST /services/rest/query/v1/suiteql"


def created(kind: str, record_id: str) -> httpx.Response:
    return httpx.Response(204, headers={"Location": f"{BASE}/services/rest/record/v1/{kind}/{record_id}"})


def problem(status: int, code: str, detail: str, **headers: str) -> httpx.Response:
    return httpx.Response(
        status,
        headers=headers,
        json={
            "type": "https://www.rfc-editor.org/rfc/rfc9110.html",
            "title": "Bad Request",
            "status": status,
            "o:errorDetails": [{"detail": detail, "o:errorCode": code}],
        },
    )


def page(*rows: dict[str, str], has_more: bool = False) -> httpx.Response:
    items = [{"links": [], **row} for row in rows]
    return httpx.Response(200, json={"items": items, "hasMore": has_more, "count": len(rows)})


def asked_ids(request: httpx.Request) -> list[str]:
    return list(json.loads(request.content).get("params", []))


def effect(number: int = 1, **more: Any) -> Effect:
    values: dict[str, Any] = {
        "key": f"KEY{number}",
        "connection": "books",
        "integration": "amazon_netsuite",
        "flow": "payments",
        "partition": "18834420011",
        "kind": "customerPayment",
        "action": Action.CREATE,
        "external_id": f"AZS-18834420011-{number}",
        "number": f"114-555000{number}-1234567",
        "title": "payment",
        "body": canonical({"payment": Decimal("100.00"), "customer": {"id": "311"}}),
        "expected": Expected(Money.of("100.00", "USD"), date(2026, 9, 14)),
    }
    return Effect(**(values | more))


def prepared(number: int = 1, attempt: int = 1, **more: Any) -> Prepared:
    made = effect(number, **more)
    body = decode(made.body)
    assert isinstance(body, dict)
    return Prepared(made, body, made.origin, made.target_id, attempt)
