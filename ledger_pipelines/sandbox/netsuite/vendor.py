"""NetSuite as a vendor of the sandbox: what the core asks of it, and its control routes.

Belongs here: the `Vendor` protocol. Does not belong here: any NetSuite behaviour.
"""

from __future__ import annotations

import re

import msgspec
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ledger_pipelines.sandbox import codec
from ledger_pipelines.sandbox.netsuite import books
from ledger_pipelines.sandbox.netsuite.app import NetSuiteApp
from ledger_pipelines.sandbox.netsuite.batch import FAULTS as BATCH_FAULTS
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import injected
from ledger_pipelines.sandbox.netsuite.features import Features
from ledger_pipelines.sandbox.netsuite.records.custom import FieldDefinition, ListDefinition, RecordDefinition
from ledger_pipelines.sandbox.netsuite.seed import Seeder
from ledger_pipelines.sandbox.netsuite.service import ERROR
from ledger_pipelines.sandbox.netsuite.store import Store
from ledger_pipelines.sandbox.netsuite.users import full_credentials, limited_credentials
from ledger_pipelines.sandbox.vendor import SandboxContext

_ID = re.compile(r"^(\d+|eid:.*|doc=.*)$")


class NetSuiteVendor:
    """One NetSuite account (9123456_SB1) behind the sandbox's interface."""

    name = "netsuite"
    port_offset = 6
    extra_faults = frozenset({"script_error", "token_revoked", "clock_skew"}) | BATCH_FAULTS

    def __init__(self, context: SandboxContext):
        self.context = context
        context.faults.of_parts(BATCH_FAULTS)
        self.company = Company(Store(context.store), context.clock, context.faults, context.base_url)
        self._app = NetSuiteApp(self.company)

    @property
    def app(self) -> ASGIApp:
        """The ASGI application."""
        return self._app.asgi

    @property
    def netsuite(self) -> NetSuiteApp:
        """The application object, with its counters."""
        return self._app

    def credentials(self) -> dict[str, object]:
        """`{account, base_url, host, auth: {tba, m2m}, limited: {role, tba, m2m}}`; all fixed, public and fake."""
        full = full_credentials()
        return {
            "account": self.company.features.account,
            "base_url": self.context.base_url,
            "host": self.company.features.host,
            "auth": {"tba": full["tba"], "m2m": full["m2m"]},
            "limited": limited_credentials(),
        }

    def dump(self) -> object:
        """Everything (see `books.dump`)."""
        with self.company.store.state.lock:
            return books.dump(self.company)

    def trial_balance(self) -> object:
        """The trial balance (see `books.trial_balance`)."""
        with self.company.store.state.lock:
            return books.trial_balance(self.company)

    def reset(self, seed: str) -> None:
        """Begin again with "demo" or "empty"."""
        self.company.store.clear()
        self.reload()
        seeder = Seeder(self.company)
        seeder.empty()
        if seed == "demo":
            seeder.demo()

    def reload(self) -> None:
        """Read features and definitions again after the store was put back to a snapshot."""
        self.company.reload()
        self._app.queries.refresh()

    def catch_up(self) -> None:
        """Carry out the late jobs whose time has come."""
        self._app.jobs.catch_up()

    def define_record_type(self, definition: RecordDefinition | ListDefinition) -> None:
        """Deploy a custom record type or custom list, as SDF would."""
        self.company.define_record_type(definition)
        self._app.queries.refresh()

    def define_field(self, definition: FieldDefinition) -> None:
        """Deploy a `custbody_*` or `custcol_*` field."""
        self.company.define_field(definition)
        self._app.queries.refresh()

    def set_features(self, **changes: object) -> None:
        """Change features by name (see `Features`). Raises pydantic.ValidationError."""
        self.company.set_features(Features.model_validate(self.company.features.model_dump() | changes))
        self._app.queries.refresh()

    def set_period(self, name: str, **flags: bool) -> bool:
        """Close or lock a period by its name (`Sep 2026`): closed, arLocked, apLocked, allLocked. False: no such period."""
        with self.company.store.transaction():
            row = self.company.store.by_name("accountingPeriod", name)
            if row is None:
                return False
            row.body.update(flags)
            self.company.store.put(row)
        return True

    def path_pattern(self, path: str) -> str:
        """`path` with ids replaced by `{id}`."""
        parts = path.split("/")
        return "/".join("{id}" if _ID.match(part) else part for part in parts)

    def error_response(self, kind: str, status: int, request: Request, retry_after: int | None) -> Response:
        """The vendor's own body for an injected 429 or 5xx."""
        del kind, request
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        body = injected(status).body()
        return Response(codec.dumps(body), status, headers=headers, media_type=ERROR)

    def control_routes(self) -> list[BaseRoute]:
        """`/features`, `/periods`, `/record-types`, `/lists`, `/fields`, `/audit`, `/governance` on the control port."""
        return [
            Route("/features", self._features, methods=["GET", "POST"]),
            Route("/periods", self._periods, methods=["POST"]),
            Route("/record-types", self._define, methods=["POST"]),
            Route("/lists", self._define, methods=["POST"]),
            Route("/fields", self._define, methods=["POST"]),
            Route("/audit", self._audit, methods=["GET"]),
            Route("/governance", self._governance, methods=["GET"]),
        ]

    async def _features(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                self.set_features(**msgspec.json.decode(await request.body(), type=dict))
            except (ValidationError, msgspec.DecodeError) as error:
                return _json({"error": str(error)}, 400)
        return _json(self.company.features.model_dump())

    async def _periods(self, request: Request) -> Response:
        try:
            sent = msgspec.json.decode(await request.body(), type=dict[str, str | bool])
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, 400)
        name = str(sent.pop("name", ""))
        flags = {key: bool(value) for key, value in sent.items()}
        known = {"closed", "arLocked", "apLocked", "allLocked"}
        if not flags or not set(flags) <= known:
            return _json({"error": f"give name (like 'Sep 2026') and some of {sorted(known)}"}, 400)
        if not self.set_period(name, **flags):
            return _json({"error": f"no period {name!r}; names look like 'Sep 2026'"}, 404)
        return _json({"name": name, **flags})

    async def _define(self, request: Request) -> Response:
        body = await request.body()
        kind = request.url.path.rsplit("/", 1)[1]
        try:
            if kind == "fields":
                self.define_field(FieldDefinition.model_validate_json(body))
            elif kind == "lists":
                self.define_record_type(ListDefinition.model_validate_json(body))
            else:
                self.define_record_type(RecordDefinition.model_validate_json(body))
        except ValueError as error:
            return _json({"error": str(error)}, 400)
        return _json({"deployed": True})

    async def _audit(self, request: Request) -> Response:
        del request
        rows = self.company.store.db.execute(
            "SELECT at, kind, outcome, cause, identity FROM ns_audit ORDER BY id"
        ).fetchall()
        return _json(
            [dict(zip(("at", "kind", "outcome", "cause", "identity"), row, strict=True)) for row in rows]
        )

    async def _governance(self, request: Request) -> Response:
        del request
        return _json({"most_in_flight": self._app.most_in_flight, "refused": self._app.refused})


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
