"""What the sandbox's own tests share: a client of the control port and of Amazon. No client of the product."""

import base64
from dataclasses import dataclass, field
from typing import Any

import httpx

from ledger_pipelines.sandbox.server import RunningSandbox

V2 = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
REPORTS = "/reports/2021-06-30/reports"
DOCUMENTS = "/reports/2021-06-30/documents"


def settlement(
    settlement_id: str = "26111111111", end: str = "2026-05-15 14:00:11 UTC", rows: int = 1
) -> bytes:
    header = "settlement-id\tsettlement-start-date\tsettlement-end-date\tdeposit-date\ttotal-amount\tcurrency"
    header += "\ttransaction-type\tamount-type\tamount-description\tamount"
    lines = [
        header,
        f"{settlement_id}\t2026-05-01 14:00:11 UTC\t{end}\t2026-05-17 14:00:11 UTC\t{rows}.00\tUSD\t\t\t\t",
    ]
    lines += [f"{settlement_id}\t\t\t\t\t\tother-transaction\tother-transaction\tAdjustment\t1.00"] * rows
    return ("\n".join(lines) + "\n").encode()


@dataclass
class Kit:
    """Control and Amazon of one running sandbox."""

    sandbox: RunningSandbox
    control: httpx.Client = field(init=False)
    amazon: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.control = httpx.Client(base_url=self.sandbox.control_url, trust_env=False, verify=False)
        self.amazon = httpx.Client(base_url=self.sandbox.base_urls["amazon"], trust_env=False, verify=False)

    def close(self) -> None:
        self.control.close()
        self.amazon.close()

    def fault(self, **spec: Any) -> None:
        answer = self.control.post("/faults", json={"vendor": "amazon", **spec})
        assert answer.status_code == 200, answer.text

    def fired(self) -> list[int]:
        return [fault["fired"] for fault in self.control.get("/faults").json()["faults"]]

    def advance(self, seconds: float) -> None:
        assert self.control.post("/clock", json={"advance_seconds": seconds}).status_code == 200

    def freeze(self, at: str) -> None:
        assert self.control.post("/clock", json={"freeze": at}).status_code == 200

    def grant(self, **changes: str) -> dict[str, str]:
        credentials = self.sandbox.credentials["amazon"]
        names = ("client_id", "client_secret", "refresh_token")
        return {"grant_type": "refresh_token", **{name: credentials[name] for name in names}, **changes}

    def login(self, **changes: str) -> httpx.Response:
        """One call that changes state: the count of issued tokens tells whether it was applied."""
        return self.amazon.post("/auth/o2/token", data=self.grant(**changes))

    def applied(self) -> int:
        issued: int = self.control.get("/dump/amazon").json()["tokens_issued"]
        return issued

    def access(self) -> dict[str, str]:
        return {"x-amz-access-token": self.login().json()["access_token"]}

    def add(self, content: bytes = b"", **more: Any) -> dict[str, Any]:
        content = content or settlement()
        body = {"name": "file.txt", "content_base64": base64.b64encode(content).decode(), **more}
        answer = self.control.post("/amazon/documents", json=body)
        assert answer.status_code == 201, answer.text
        added: dict[str, Any] = answer.json()
        return added
