"""What stands before every vendor's application: the count of calls, and the faults.

Belongs here: carrying out the core fault kinds on a call. Does not belong here: choosing them (``faults``), or the
bodies of a vendor's errors (the vendor's ``error_response``).
"""

import asyncio
from email.utils import format_datetime
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger_pipelines.sandbox.calls import NO_ANSWER, CallKey, CallLog
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.codec import MalformedJsonError, dumps, loads
from ledger_pipelines.sandbox.faults import Faults, FaultSpec
from ledger_pipelines.sandbox.late import LateApplies
from ledger_pipelines.sandbox.vendor import CALL, CallInfo, Vendor
from ledger_pipelines.sandbox.wire import Captured, cut, read_body, replay, reset

GATEWAY_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Please wait</title></head>\n"
    b"<body><h1>Gateway</h1><p>The service is being reached. Please try again.</p></body></html>\n"
)


class Gate:
    """The ASGI application that uvicorn serves for one vendor."""

    def __init__(
        self, vendor: Vendor, clock: SandboxClock, calls: CallLog, faults: Faults, late: LateApplies
    ):
        self._vendor = vendor
        self._app: ASGIApp = vendor.app
        self._clock = clock
        self._calls = calls
        self._faults = faults
        self._late = late

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count one call, and let it through or go wrong."""
        if scope["type"] != "http":
            return
        name, method, path = self._vendor.name, scope["method"], scope["path"]
        query = scope.get("query_string", b"").decode("latin-1")
        target = f"{path}?{query}" if query else path
        core, own = self._faults.on_call(name, method, target, scope["headers"])
        scope["extensions"][CALL] = CallInfo(self._clock.now(), tuple(own))
        status = NO_ANSWER

        async def counted_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", []))
                if not any(key.lower() == b"date" for key, _ in headers):
                    headers.append((b"date", format_datetime(self._clock.now(), usegmt=True).encode("ascii")))
                message = {**message, "headers": headers}
            await send(message)

        self._calls.begin(name)
        try:
            if core is None:
                await self._app(scope, receive, counted_send)
            else:
                await self._go_wrong(core, scope, receive, counted_send)
        except ClientDisconnect:
            pass  # whoever called is gone, killed perhaps, before the call had come whole: nothing to answer
        finally:
            self._calls.end(CallKey(name, method, self._vendor.path_pattern(path), status))

    async def _go_wrong(self, fault: FaultSpec, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "refuse":
            await reset(scope, receive)
            return
        body = await read_body(receive)
        if body is None:
            return
        if fault.kind in ("429", "5xx_before"):
            await self._vendor_error(fault, scope, body, receive, send)
        elif fault.kind == "5xx_after":
            await self._apply(scope, body)
            await self._vendor_error(fault, scope, body, receive, send)
        elif fault.kind == "hang":
            if fault.applied:
                await self._apply(scope, body)
            await asyncio.sleep(fault.seconds)
            await cut(scope, receive)
        elif fault.kind == "cut_before":
            await cut(scope, receive)
        elif fault.kind == "cut_after":
            await self._apply(scope, body)
            await cut(scope, receive)
        elif fault.kind == "apply_late":
            self._late.add(self._vendor.name, scope, body, fault.seconds)
            await asyncio.sleep(fault.hang_seconds)
            await cut(scope, receive)
        elif fault.kind == "html_200":
            if fault.applied:
                await self._apply(scope, body)
            await _page(send)
        else:
            await self._spoil(fault, scope, body, receive, send)

    async def _spoil(self, fault: FaultSpec, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """The kinds in which the request is applied and its own answer comes, whole or not."""
        answer = await self._apply(scope, body)
        if fault.kind == "apply_twice":
            await self._apply(scope, body)
            await answer.pass_on(send)
        elif fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            await answer.pass_on(send)
        elif fault.kind == "spoilt_record":
            await answer.with_body(_spoilt(fault, answer.body)).pass_on(send)
        elif fault.kind == "drip":
            step = max(1, -(-len(answer.body) // 10))
            pieces = [answer.body[i : i + step] for i in range(0, len(answer.body), step)]
            await answer.pass_on(send, pieces, fault.seconds)
        elif answer.body:  # truncated_body
            headers = [(k, v) for k, v in answer.headers if k.lower() != b"content-length"]
            headers.append((b"content-length", str(len(answer.body)).encode("ascii")))
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await cut(scope, receive)
        else:  # an answer without a body (a 204) has nothing to cut but itself
            await cut(scope, receive)

    async def _apply(self, scope: Scope, body: bytes) -> Captured:
        answer = Captured()
        await self._app({**scope}, replay(body), answer)
        return answer

    async def _vendor_error(
        self, fault: FaultSpec, scope: Scope, body: bytes, receive: Receive, send: Send
    ) -> None:
        status = 429 if fault.kind == "429" else fault.status
        request = Request(scope, replay(body, receive))
        response = self._vendor.error_response(fault.kind, status, request, fault.retry_after)
        await response(scope, replay(body, receive), send)


def _spoilt(fault: FaultSpec, body: bytes) -> bytes:
    """The answer with one field of one record spoilt; as it is where it has no such record, or is no JSON."""
    try:
        told = loads(body)
    except MalformedJsonError:
        return body
    return dumps(_without_sense(fault, told))


def _without_sense(fault: FaultSpec, value: Any) -> Any:
    if isinstance(value, list):
        return [_without_sense(fault, one) for one in value]
    if not isinstance(value, dict):
        return value
    meant = fault.name in value and any(
        str(one) == fault.record for one in value.values() if not isinstance(one, dict | list)
    )
    found = {name: _without_sense(fault, one) for name, one in value.items()}
    return found | ({fault.name: fault.value} if meant else {})


async def _page(send: Send) -> None:
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(GATEWAY_PAGE)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": GATEWAY_PAGE, "more_body": False})
