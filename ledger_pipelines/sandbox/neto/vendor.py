"""Neto as a vendor of the sandbox: what the core asks of it, and its control panel on the control port.

Belongs here: the `Vendor` protocol, what staff do. Does not belong here: any behaviour of the API.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ledger_pipelines.sandbox.codec import Document, MalformedJsonError, dumps, loads
from ledger_pipelines.sandbox.neto import app as neto
from ledger_pipelines.sandbox.neto import seed
from ledger_pipelines.sandbox.neto.app import NetoApp, too_many
from ledger_pipelines.sandbox.neto.shapes import as_list
from ledger_pipelines.sandbox.neto.shop import NetoError, Shop
from ledger_pipelines.sandbox.neto.store import Row, Store
from ledger_pipelines.sandbox.vendor import RESERVED_PORTS, SandboxContext

KINDS = (
    "item",
    "customer",
    "order",
    "payment",
    "rma",
    "warehouse",
    "paymentmethod",
    "shippingmethod",
    "category",
    "account",
    "supplier",
)


class NetoVendor:
    """One store behind the sandbox's interface."""

    name = "neto"
    port_offset = RESERVED_PORTS["neto"]
    extra_faults = frozenset({neto.ERROR_200})

    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self.shop = Shop(Store(context.store), context.clock)
        self._app = NetoApp(self.shop)

    @property
    def app(self) -> ASGIApp:
        """The ASGI application."""
        return self._app.asgi

    def credentials(self) -> dict[str, object]:
        """Global key, user key, a key that may only read, an app's pair; all fixed, public and fake."""
        return {
            "base_url": self._context.base_url,
            "path": neto.PATH,
            "api_key": neto.GLOBAL_KEY,
            "user": {"username": neto.USER, "api_key": neto.USER_KEY},
            "reader": {"username": neto.READER, "api_key": neto.READER_KEY},
            "app": {"client_id": neto.CLIENT_ID, "access_token": neto.ACCESS_TOKEN},
            "time_zone": self.shop.settings.time_zone,
        }

    def dump(self) -> object:
        """`{records: {kind: [...]}, stock: {sku: {warehouse: quantity}}}`; amounts as text."""
        with self.shop.store.state.lock:
            records = {
                kind: [
                    {
                        "key": row.key,
                        "number": row.number,
                        "added": row.added,
                        "updated": row.updated,
                        "owner": row.owner,
                        **row.body,
                    }
                    for row in self.shop.store.select(kind)
                ]
                for kind in KINDS
            }
            stock: dict[str, Document] = {}
            for sku, warehouse, quantity in self.shop.store.db.execute(
                "SELECT sku, warehouse, quantity FROM neto_stock ORDER BY sku"
            ):
                stock.setdefault(sku, {})[warehouse] = quantity
            return {"records": records, "stock": stock}

    def reset(self, seed_name: str) -> None:
        """Begin again: "empty" has lists only, "demo" the shop with six weeks of orders."""
        self.shop.store.clear()
        self.reload()
        seed.begin(self._app)
        if seed_name == "demo":
            seed.demo(self._app)

    def reload(self) -> None:
        """The store was put back."""
        self.shop.reload()

    def path_pattern(self, path: str) -> str:
        """There is one path."""
        return path

    def error_response(self, kind: str, status: int, request: Request, retry_after: int | None) -> Response:
        """429 as text; 5xx as a gateway's page."""
        del kind, request
        if status == 429:
            return too_many(retry_after)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return Response(
            "<html><body><h1>Service unavailable</h1></body></html>", status, headers, "text/html"
        )

    def control_routes(self) -> list[BaseRoute]:
        """`/settings`, and what staff do in the control panel: `/split`, `/edit`, `/rmas`, `/refunds`."""
        return [
            Route("/settings", self._settings, methods=["GET", "POST"]),
            Route("/split", self._split, methods=["POST"]),
            Route("/edit", self._edit, methods=["POST"]),
            Route("/rmas/{id}/close", self._close, methods=["POST"]),
            Route("/rmas/{id}/refunds", self._refund, methods=["POST"]),
            Route("/rmas/{id}/refunds/{refund}/paid", self._paid, methods=["POST"]),
        ]

    async def _settings(self, request: Request) -> Response:
        if request.method == "POST":
            self.shop.change_settings(await _sent(request))
        return _json(self.shop.settings.model_dump(mode="json"))

    async def _split(self, request: Request) -> Response:
        sent = await _sent(request)
        return self._staff(
            lambda: (
                self._app.orders.split(
                    str(sent.get("OrderID")), [str(s) for s in as_list(sent.get("lines"))]
                ).key
            )
        )

    async def _edit(self, request: Request) -> Response:
        sent = await _sent(request)
        return self._staff(lambda: self._app.orders.edit(str(sent.get("OrderID")), sent).body["GrandTotal"])

    async def _close(self, request: Request) -> Response:
        return self._staff(lambda: self._app.rmas.close(self._rma(request)))

    async def _refund(self, request: Request) -> Response:
        sent = await _sent(request)
        return self._staff(lambda: self._app.rmas.refund(self._rma(request), sent))

    async def _paid(self, request: Request) -> Response:
        return self._staff(lambda: self._app.rmas.pay_out(self._rma(request), request.path_params["refund"]))

    def _rma(self, request: Request) -> Row:
        row = self.shop.store.get("rma", request.path_params["id"])
        if row is None:
            raise NetoError(f"There is no RMA {request.path_params['id']}.")
        return row

    def _staff(self, act: Callable[[], object]) -> Response:
        try:
            with self.shop.store.transaction():
                return _json({"done": act()})
        except NetoError as error:
            return _json({"error": str(error)}, 400)


async def _sent(request: Request) -> Document:
    try:
        sent = loads(await request.body() or b"{}")
    except MalformedJsonError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(sent, dict):
        raise ValueError("give an object")  # noqa: TRY004  the control port answers ValueErrors as refusals
    return sent


def _json(value: object, status: int = 200) -> Response:
    return Response(dumps(value), status, media_type="application/json")
