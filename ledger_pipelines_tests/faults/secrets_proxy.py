"""An outgoing proxy that notes every credential that passes, and can answer in the worst ways.

Belongs here: passing calls on, noting, bad answers that repeat the request. Does not belong here: what counts as a leak.

The product reaches the sandbox through it (`proxy:` of a connection), so that signatures and audiences stay right.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

SHORTEST = 12
_OAUTH = re.compile(r'oauth_(?:signature|token|consumer_key)="([^"]+)"')
_CREDENTIAL = re.compile(r"authorization|token|netoapi_(?:key|username)", re.IGNORECASE)
_OF_ADDRESSES = re.compile(r"signature|credential|token|key-pair", re.IGNORECASE)


class Mood(StrEnum):
    """How calls end."""

    PASS = "pass"
    ECHO = "echo"  # calls: 500 with the whole request, headers and all, in the body
    REFUSE = "refuse"  # calls: a refusal in the vendor's own form, whose words are the credentials
    ECHO_LOGIN = "echo-login"  # log-ins: 401 with the whole request in the body
    REDIRECT = "redirect"  # calls: 302 with the credentials in the address
    CUT = "cut"  # the answer breaks off
    GARBAGE = "garbage"  # no HTTP at all: the request comes back instead of a status line


@dataclass
class Seen:
    """Credentials that passed, with what they are."""

    values: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    disturbed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, value: str) -> None:
        """One more."""
        if len(value) >= SHORTEST:
            with self.lock:
                self.values.setdefault(value, what)


@dataclass(frozen=True)
class Proxy:
    """A running proxy."""

    address: str
    seen: Seen


@contextmanager
def proxy(mood: Mood) -> Iterator[Proxy]:
    """A proxy on a free port of the loopback address."""
    seen = Seen()

    class Handler(_Handler):
        pass

    Handler.mood, Handler.seen = mood, seen
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Proxy(f"http://127.0.0.1:{server.server_address[1]}", seen)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    mood: Mood = Mood.PASS
    seen: Seen = Seen()
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - signature of the library
        """Say nothing."""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._note_request(body)
        login = "token" in urlsplit(self.path).path
        self.seen.calls += 1
        bad = self.mood is not Mood.PASS and login == (self.mood is Mood.ECHO_LOGIN)
        if bad:
            self.seen.disturbed += 1
            self._answer_badly(body)
        else:
            self._pass_on(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass

    def do_CONNECT(self) -> None:
        """A tunnel that holds no TLS."""
        self.seen.calls += 1
        self.seen.disturbed += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"this is no TLS\r\n")
        self.close_connection = True

    def _note_request(self, body: bytes) -> None:
        authorization = self.headers.get("Authorization", "")
        if authorization.startswith("OAuth"):
            for value in _OAUTH.findall(authorization):
                self.seen.note("a signature or token of a call", unquote(value))
        elif authorization:
            self.seen.note("a bearer token", authorization.partition(" ")[2])
        self.seen.note("an access token", self.headers.get("x-amz-access-token", ""))
        if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            for name, value in parse_qsl(body.decode()):
                if name in {"client_assertion", "refresh_token", "client_secret"}:
                    self.seen.note(f"{name} of a log-in", value)
                    if value.count(".") == 2:
                        self.seen.note("the signature of an assertion", value.rpartition(".")[2])
        self._note_address(self.path)

    def _note_address(self, address: str) -> None:
        for name, value in parse_qsl(urlsplit(address).query):
            if _OF_ADDRESSES.search(name):
                self.seen.note(f"{name} of a signed address", value)

    def _note_answer(self, body: bytes) -> None:
        try:
            told = json.loads(body)
        except ValueError:
            return
        if isinstance(told, Mapping):
            for name in ("access_token", "refresh_token"):
                self.seen.note(f"{name} of an answer", str(told.get(name) or ""))
            self._note_address(str(told.get("url") or ""))

    def _pass_on(self, body: bytes) -> None:
        target = urlsplit(self.path)
        wire = http.client.HTTPConnection(target.hostname or "", target.port or 80, timeout=60)
        try:
            path = f"{target.path}?{target.query}" if target.query else target.path
            kept = {
                k: v for k, v in self.headers.items() if k.lower() not in {"proxy-connection", "connection"}
            }
            wire.request(self.command, path, body or None, kept)
            answer = wire.getresponse()
            content = answer.read()
            self._note_answer(content)
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {
                    "transfer-encoding",
                    "connection",
                    "content-length",
                    "date",
                    "server",
                }:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        finally:
            wire.close()

    def _answer_badly(self, body: bytes) -> None:
        # The product shows the beginning of an answer: what is secret comes first, at several places.
        padding = b"x" * (len(body) % 97)
        echo = body + b"\n" + padding + body + f"\n{self.command} {self.path}\n{self.headers}".encode()
        match self.mood:
            case Mood.GARBAGE:
                self.wfile.write(echo.replace(b"\n", b" ")[:900] + b"\r\n\r\n")
            case Mood.CUT:
                self.wfile.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"
                )
                self.wfile.write(echo)
            case Mood.REDIRECT:
                secret = self.headers.get("Authorization") or self.headers.get("x-amz-access-token") or ""
                self.send_response(302)
                self.send_header(
                    "Location", f"http://127.0.0.1:9/?access_token={secret.partition(' ')[2] or secret}"
                )
                self.send_header("Content-Length", "0")
                self.end_headers()
            case Mood.REFUSE:
                status = 200 if "NETOAPI_ACTION" in self.headers else 400  # Neto refuses so
                self._send(status, _in_the_vendors_form(" ".join(self._credentials())))
            case _:
                text = json.dumps({"error": "invalid_request", "title": echo.decode("latin-1"), "errors": [
                    {"code": "Unauthorized", "message": echo.decode("latin-1")}]}).encode()  # fmt: skip
                self._send(401 if self.mood is Mood.ECHO_LOGIN else 500, text)
        self.close_connection = True

    def _credentials(self) -> Iterator[str]:
        """What the call was made with: of its address, of its headers as they came, and what is behind a scheme's name."""
        yield urlsplit(self.path).query
        for name, value in self.headers.items():
            if _CREDENTIAL.search(name):
                yield value.partition(" ")[2] or value

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _in_the_vendors_form(words: str) -> bytes:
    """A refusal as NetSuite, Saasu, Cin7, Amazon and Neto word theirs, each in its own field."""
    return json.dumps({
        "type": "about:blank", "title": "Bad Request", "status": 400, "message": words, "Message": words,
        "o:errorDetails": [{"detail": words, "o:errorCode": "USER_ERROR"}],
        "errors": [{"code": "InvalidInput", "message": words}],
        "Ack": "Error", "Messages": {"Error": {"Message": words, "SeverityCode": "Error"}},
    }).encode()  # fmt: skip
