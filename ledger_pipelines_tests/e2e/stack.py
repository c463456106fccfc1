"""Real processes: sandbox, dagster-webserver, dagster-daemon, each stopped at the end whatever happens.

Belongs here: starting, waiting, asking by GraphQL. Does not belong here: what a test expects.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from ledger_pipelines.cli.processes import sandbox_environment
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines_tests.dagster.kit import configuration

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
T = TypeVar("T")
Configure = Callable[[Mapping[str, str]], LoadedConfig]
"""(addresses by vendor; "sandbox": the control port) -> configuration."""

_RUNS = """
query Runs($tags: [ExecutionTag!]) {
  runsOrError(filter: {tags: $tags}, limit: 50) {
    ... on Runs { results { runId status jobName tags { key value } } }
    ... on PythonError { message }
  }
}
"""
_LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on InvalidSubsetError { message }
    ... on PipelineNotFoundError { message }
    ... on UnauthorizedError { message }
  }
}
"""
_LOCATION = "ledger_pipelines"


@dataclass(frozen=True)
class Stack:
    """What runs. `url`: of the webserver."""

    loaded: LoadedConfig
    url: str
    control: str
    folder: Path
    environ: Mapping[str, str]

    @property
    def drop_folder(self) -> Path:
        """Where files are dropped."""
        drop = self.loaded.config.amazon("amazon_us").drop
        assert drop is not None
        return Path(drop.path)

    def drop(self, name: str, content: bytes) -> None:
        """Put a file there whole."""
        self.drop_folder.mkdir(parents=True, exist_ok=True)
        hidden = self.drop_folder / f".{name}"
        hidden.write_bytes(content)
        hidden.rename(self.drop_folder / name)

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """One GraphQL question. Launching a run over a range takes long: Dagster writes an event for each asset and day."""
        answer = httpx.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=600, trust_env=False
        )
        body: dict[str, Any] = answer.raise_for_status().json()
        assert "errors" not in body, body["errors"]
        found: dict[str, Any] = body["data"]
        return found

    def runs(self, **tags: str) -> list[dict[str, Any]]:
        """Runs with those tags, newest first; `__` in a name stands for `/`."""
        wanted = [{"key": key.replace("__", "/"), "value": value} for key, value in tags.items()]
        found: list[dict[str, Any]] = self.ask(_RUNS, tags=wanted)["runsOrError"]["results"]
        return found

    def launch(self, job: str, tags: Mapping[str, str]) -> str:
        """Start a job, as the button in the UI does; the run's id."""
        selector = {"repositoryLocationName": _LOCATION, "repositoryName": "__repository__", "jobName": job}
        told = [{"key": key, "value": value} for key, value in tags.items()]
        asked = {"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": told}}
        answer = self.ask(_LAUNCH, params=asked)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def book(self) -> dict[str, dict[str, str]]:
        """The sandbox's trial balance, by account number."""
        answer = (
            httpx.get(f"{self.control}/trial-balance/netsuite", trust_env=False).raise_for_status().json()
        )
        return {account["number"]: account for account in answer["accounts"]}


def wait(what: str, seconds: float, question: Callable[[], T | None]) -> T:
    """Ask until there is an answer. Raises AssertionError when it takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = question()
        if found:
            return found
        time.sleep(0.25)
    raise AssertionError(f"{what}: not within {seconds:g} s")


@contextmanager
def process(
    arguments: list[str], environ: Mapping[str, str], log: Path, *, cwd: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own."""
    with log.open("wb") as output:
        started = subprocess.Popen(
            arguments, env=dict(environ), stdout=output, stderr=output, cwd=cwd, start_new_session=True
        )
    try:
        yield started
    finally:
        for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            try:
                os.killpg(started.pid, number)
                started.wait(patience)
                break
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _sandbox_addresses(log: Path) -> dict[str, str] | None:
    lines = [line.split() for line in log.read_text().splitlines() if "http://" in line]
    found = {words[0]: words[-1] for words in lines}
    return found if {"sandbox", "netsuite", "amazon"} <= found.keys() else None


@contextmanager
def running(
    folder: Path, configure: Configure | None = None, *, seed: str = "demo", **changes: str
) -> Iterator[Stack]:
    """Sandbox with the demo's books, webserver and daemon with the shipped dagster.yaml, all on loopback.

    Args:
        folder: Empty.
        configure: Writes and loads the ledger.yaml of the folder, once the sandbox is there; default: the shipped one.
        seed: The sandbox's books.
        changes: Text for text in the shipped ledger.yaml.
    """
    home = folder / "dagster_home"
    home.mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", home)
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("LEDGER_", "DAGSTER_"))}
    with ExitStack() as stack:
        log = folder / "sandbox.log"
        command = [sys.executable, "-m", "ledger_pipelines.sandbox", "--port", "0", "--seed", seed]
        stack.enter_context(process(command, plain, log))
        addresses = wait("the sandbox", 30, lambda: _sandbox_addresses(log))
        control = addresses["sandbox"]
        if configure is not None:
            loaded = configure(addresses)
        else:
            loaded = configuration(
                folder,
                addresses,
                **{
                    "      path: .ledger/drop/amazon_us": "      poll_seconds: 5\n      stable_seconds: 1\n      path: .ledger/drop/amazon_us"
                },
                **changes,
            )
        credentials = httpx.get(f"{control}/credentials", trust_env=False).raise_for_status().json()
        environ = {
            **plain,
            **sandbox_environment(loaded.config, credentials),
            "DAGSTER_HOME": str(home),
            "LEDGER_CONFIG": str(folder / "ledger.yaml"),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }
        subprocess.run(
            [sys.executable, "-m", "ledger_pipelines.orchestration.hygiene"],
            env=environ,
            check=True,
            cwd=ROOT,
            stdout=sys.stderr,
        )
        port = _free_port()
        workspace = str(ROOT / "workspace.yaml")
        web = [str(BIN / "dagster-webserver"), "-w", workspace, "-h", "127.0.0.1", "-p", str(port)]
        stack.enter_context(process(web, environ, folder / "webserver.log"))
        daemon = [str(BIN / "dagster-daemon"), "run", "-w", workspace]
        stack.enter_context(process(daemon, environ, folder / "daemon.log"))
        ready = Stack(loaded, f"http://127.0.0.1:{port}", control, folder, environ)
        wait("the webserver", 60, lambda: _answers(ready.url))
        yield ready


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/server_info", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False
