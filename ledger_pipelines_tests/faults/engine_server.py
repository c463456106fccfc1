"""A tiny ledger in a process of its own: what it was told it keeps on disk, twice if told twice.

Belongs here: the target of the engine's kill drills. Does not belong here: any vendor's manner (`ledger_pipelines.sandbox`).

`POST /documents` enters one after `--delay` seconds, whether or not the caller still listens; `GET /documents` lists those
older than `--lag` seconds; `GET /dump` lists all and counts the calls.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Books:
    """The documents, in SQLite."""

    def __init__(self, place: str, delay: float, lag: float) -> None:
        self.delay, self.lag = delay, lag
        self._lock = threading.Lock()
        self._database = sqlite3.connect(place, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS documents (id INTEGER PRIMARY KEY, external_id TEXT, body TEXT, at REAL)"
        )
        self.calls = {"POST": 0, "GET": 0}

    def enter(self, external_id: str, body: str) -> int:
        time.sleep(self.delay)
        with self._lock:
            made = self._database.execute(
                "INSERT INTO documents (external_id, body, at) VALUES (?, ?, ?)",
                (external_id, body, time.time()),
            )
            return int(made.lastrowid or 0)

    def listed(self, *, all_of_them: bool) -> list[dict[str, Any]]:
        until = time.time() + 1 if all_of_them else time.time() - self.lag
        with self._lock:
            rows = self._database.execute(
                "SELECT id, external_id, body FROM documents WHERE at <= ? ORDER BY id", (until,)
            ).fetchall()
        return [{"id": str(row[0]), "external_id": row[1], "body": row[2]} for row in rows]


class Handler(BaseHTTPRequestHandler):
    """The interface."""

    books: Books

    def do_POST(self) -> None:
        self.books.calls["POST"] += 1
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = self.books.enter(asked["external_id"], asked["body"])
        self._answer(201, {"id": str(number), "external_id": asked["external_id"]})

    def do_GET(self) -> None:
        if self.path == "/dump":
            calls = dict(self.books.calls)
            self._answer(200, {"documents": self.books.listed(all_of_them=True), "calls": calls})
            return
        self.books.calls["GET"] += 1
        self._answer(200, {"documents": self.books.listed(all_of_them=False)})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own name
        """Silent."""


def main() -> None:
    """Serve until killed; the port is the first line printed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--books", required=True)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--lag", type=float, default=0.0)
    given = parser.parse_args()
    Handler.books = Books(given.books, given.delay, given.lag)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
