"""What the tests of Omni's sandbox share: a client of its API as a stranger would write one. No client of the product."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import msgspec

from ledger_pipelines.sandbox.server import RunningSandbox

MAIN, SHED = 3, 4
Json = dict[str, Any]
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def exact(answer: httpx.Response) -> Any:
    return _decoder.decode(answer.content)


@dataclass
class Desk:
    """The connection with all rights, and the control port."""

    sandbox: RunningSandbox
    control: httpx.Client = field(init=False)
    api: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        told = self.sandbox.credentials["cin7"]
        self.control = httpx.Client(base_url=self.sandbox.control_url, trust_env=False, verify=False)
        self.api = httpx.Client(
            base_url=told["base_url"], auth=(told["username"], told["key"]), trust_env=False, verify=False
        )
        self.settings(per_second=None, per_minute=None, per_day=None)

    def close(self) -> None:
        self.control.close()
        self.api.close()

    def settings(self, **changes: object) -> None:
        assert self.control.post("/cin7/settings", json=changes).status_code == 200

    def fault(self, kind: str, **more: object) -> None:
        answer = self.control.post("/faults", json={"vendor": "cin7", "kind": kind, **more})
        assert answer.status_code == 200, answer.text

    def freeze(self, at: str) -> None:
        assert self.control.post("/clock", json={"freeze": at}).status_code == 200

    def advance(self, seconds: float) -> None:
        assert self.control.post("/clock", json={"advance_seconds": seconds}).status_code == 200

    def ask(
        self, method: str, path: str, body: object = None, who: str | None = None, **params: object
    ) -> httpx.Response:
        content = None if body is None else _encoder.encode(body)
        headers = {"Content-Type": "application/json"}
        told = self.sandbox.credentials["cin7"][who] if who else self.sandbox.credentials["cin7"]
        return self.api.request(
            method, f"/api/v1/{path}", content=content, headers=headers, params=params, auth=(told["username"], told["key"])
        )  # fmt: skip

    def rows(self, path: str, **params: object) -> list[Json]:
        answer = self.ask("GET", path, **params)
        assert answer.status_code == 200, answer.text
        found: list[Json] = exact(answer)
        return found

    def get(self, path: str) -> Json:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        found: Json = exact(answer)
        return found

    def write(self, method: str, path: str, *records: Json) -> list[Json]:
        answer = self.ask(method, path, list(records))
        assert answer.status_code == 200, answer.text
        results: list[Json] = exact(answer)
        assert [one["index"] for one in results] == list(range(len(records)))
        return results

    def post(self, path: str, **record: object) -> int:
        [result] = self.write("POST", path, record)
        assert result["success"], result
        made: int = result["id"]
        return made

    def put(self, path: str, **record: object) -> Json:
        [result] = self.write("PUT", path, record)
        assert result["success"], result
        return result

    def failed(self, method: str, path: str, **record: object) -> str:
        [result] = self.write(method, path, record)
        assert not result["success"], result
        assert result["errors"]
        return " ".join(result["errors"])

    def refused(self, method: str, path: str, body: object = None, **params: object) -> tuple[int, str]:
        answer = self.ask(method, path, body, **params)
        assert answer.status_code >= 400, answer.text
        told: str = answer.json()["message"]
        return answer.status_code, told

    # --- scenes ------------------------------------------------------------------------------------------------------

    def item(self, code: str = "POT", stock: int = 10, price: str = "11.00", branch: int = MAIN) -> int:
        """A product with one option, and stock brought in by an adjustment."""
        made = self.post(
            "Products", styleCode=code, name=code.title(),
            productOptions=[{"productOptionCode": code, "retailPrice": Decimal(price), "productOptionBarcode": f"93-{code}"}],
        )  # fmt: skip
        if stock:
            self.post("Adjustments", branchId=branch, lineItems=[{"code": code, "qty": stock}])
        return made

    def order(self, *lines: Json, **more: object) -> int:
        return self.post("SalesOrders", **self.sale(*lines, **more))

    def sale(self, *lines: Json, **more: object) -> Json:
        return {"taxStatus": "Incl", "taxRate": 10, "lineItems": list(lines or (line(),)), **more}

    def stock(self, code: str = "POT", branch: int = MAIN) -> tuple[Decimal, Decimal, Decimal]:
        """(on hand, open sales, available)."""
        [row] = self.rows("Stock", where=f"code='{code}' AND branchId={branch}")
        return row["stockOnHand"], row["openSales"], row["available"]

    def ledger(self) -> Json:
        """It must agree with what is kept."""
        found: Json = self.control.get("/ledger/cin7").json()
        assert found["adds_up"], found["differences"]
        return found


def line(code: str = "POT", qty: int = 1, **more: object) -> Json:
    return {"code": code, "qty": qty, "unitPrice": 11, **more}
