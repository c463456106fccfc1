"""Processes that a command starts, and surely stops: the sandbox, Dagster.

Belongs here: starting, waiting, the environment of children, stopping. Does not belong here: what they do.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ledger_pipelines.cli.output import FINE, STOPPED, say
from ledger_pipelines.config.cin7 import Cin7ConnectionConfig
from ledger_pipelines.config.connections import AmazonConnectionConfig, NetSuiteConnectionConfig
from ledger_pipelines.config.models import LedgerConfig
from ledger_pipelines.config.shops import NetoConnectionConfig, SaasuConnectionConfig
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.storage.atomic import make_folder

DEFAULT_PORT = 8700
_PATIENCE_SECONDS = 30.0
STARTING_SECONDS = 10.0
"""How long a sandbox that is being started is waited for."""


def sandbox_in_foreground(port: int, seed: str, state: Path | None) -> int:
    """Serve until Ctrl-C. Raises ConfigurationError: a port is taken."""
    from ledger_pipelines.sandbox.server import SandboxStartError, run_sandbox  # noqa: PLC0415 (starlette, sqlglot)

    try:
        run_sandbox(port=port, seed=seed, state=state)
    except SandboxStartError as error:
        raise ConfigurationError(str(error), remedy="Stop what uses it, or choose another --port.") from error
    return FINE


def stop_on_terminate() -> None:
    """Let `kill` end us as Ctrl-C does: in order, with everything we started stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextmanager
def child(
    arguments: list[str], environ: Mapping[str, str], *, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A child in a process group of its own, stopped with all its own children when the block ends."""
    output = None if log is None else log.open("ab")
    process = subprocess.Popen(  # noqa: S603 (our own commands)
        arguments, env=dict(environ), stdout=output, stderr=output, start_new_session=True
    )
    try:
        yield process
    finally:
        _stop(process)
        if output is not None:
            output.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGINT, 10.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that answers. credentials: what `GET /credentials` gives."""

    control: str
    credentials: Mapping[str, Any]


@contextmanager
def running_sandbox(
    log: Path, *, port: int = 0, state: Path | None = None, seed: str = "demo"
) -> Iterator[RunningSandbox]:
    """A sandbox of our own beside us, ready to answer.

    Args:
        log: Where its output goes; made anew.
        port: Control port; 0: free ones.
        seed: What it begins with.
        state: File that keeps its books.

    Raises:
        ConfigurationError: It could not start; says why.
    """
    make_folder(log.parent)
    log.write_bytes(b"")
    command = [sys.executable, "-m", "ledger_pipelines.sandbox", "--port", str(port), "--seed", seed]
    if state is not None:
        make_folder(state.parent)
        command += ["--state", str(state)]
    with child(command, os.environ, log=log) as process:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (control := _announced(log)) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise ConfigurationError(
                    f"The sandbox did not start: {said[-1] if said else 'it said nothing'}.",
                    remedy="Another sandbox may be running: stop it first (Ctrl-C in its window).",
                    code="sandbox",
                )
            time.sleep(0.05)
        answer = httpx.get(f"{control}/credentials", trust_env=False).raise_for_status()
        yield RunningSandbox(control, answer.json())


def _announced(log: Path) -> str | None:
    """The control address, once every port accepts: the first line that the sandbox prints."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("sandbox control"):
            return line.split()[-1]
    return None


def at_sandbox(config: LedgerConfig, credentials: Mapping[str, Any]) -> LedgerConfig:
    """The configuration with its sandbox connections at the addresses of this very sandbox."""
    connections = dict(config.connections)
    for name, connection in config.connections.items():
        given = credentials.get(connection.system)
        if connection.sandbox and isinstance(given, Mapping):
            field = "store" if connection.system == "neto" else "base_url"
            moved = {field: given["base_url"]} | (
                {"token_url": None} if connection.system == "amazon" else {}
            )
            connections[name] = connection.model_copy(update=moved)
    return config.model_copy(update={"connections": connections})


def sandbox_environment(config: LedgerConfig, credentials: Mapping[str, Any]) -> dict[str, str]:
    """The variables that the configuration's sandbox connections name, with the sandbox's public values.

    A connection to a real account gets nothing: its variables are not touched.
    """
    found: dict[str, str] = {}
    for connection in config.connections.values():
        given = credentials.get(connection.system)
        if not connection.sandbox or not isinstance(given, Mapping):
            continue
        named: object = None
        if isinstance(connection, AmazonConnectionConfig):
            named = connection.api
        elif isinstance(connection, NetSuiteConnectionConfig):
            named = connection.auth
            given = _method(given, connection.auth.method)
        elif isinstance(connection, NetoConnectionConfig | SaasuConnectionConfig | Cin7ConnectionConfig):
            named = connection.auth
            given = _shop(given)
        for field in () if named is None else type(named).model_fields:
            variable = getattr(named, field)
            if field.endswith("_env") and variable is not None:
                value = given.get(field.removesuffix("_env"))
                if value is not None:
                    found[variable] = str(value)
    return found


def _shop(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values of Neto, Saasu or Cin7 under the names that our fields have."""
    app = given.get("app")
    return {"key": given.get("api_key"), **given, **(app if isinstance(app, Mapping) else {})}


def _method(given: Mapping[str, Any], method: str) -> Mapping[str, Any]:
    """The values of one way to log in, under the names that our fields have."""
    ways = given.get("auth")
    values = ways.get(method) if isinstance(ways, Mapping) else None
    found: dict[str, Any] = dict(values) if isinstance(values, Mapping) else {}
    return {"private_key": found.get("private_key_pem"), **found}


def print_environment(config: LedgerConfig, control: str) -> int:
    """`export` lines for a shell. A sandbox that was started in the line before is waited for.

    Raises:
        ConfigurationError: no sandbox answers there.
    """
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            answer = httpx.get(f"{control}/credentials", timeout=5, trust_env=False).raise_for_status()
            break
        except httpx.HTTPError as error:
            if not isinstance(error, httpx.ConnectError) or time.monotonic() > deadline:
                raise ConfigurationError(
                    f"No sandbox answers at {control}.", remedy="Start one: ledger-pipelines sandbox."
                ) from error
            time.sleep(0.2)
    for name, value in sandbox_environment(config, answer.json()).items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    return FINE


def run_dev(port: int) -> int:
    """`make dev`: the sandbox, and Dagster's UI and daemon beside it, until Ctrl-C."""
    from ledger_pipelines.cli.context import load  # noqa: PLC0415 (quick --help)

    stop_on_terminate()
    config = load().config
    folder = config.data_folder
    folder.mkdir(parents=True, exist_ok=True)
    home = _dagster_home()
    dagster = str(Path(sys.executable).with_name("dagster"))
    say("Starting the sandbox on 127.0.0.1:8700 (books kept in the data folder) ...")
    with running_sandbox(
        folder / "sandbox.log", port=DEFAULT_PORT, state=folder / "sandbox.sqlite"
    ) as sandbox:
        environ = {
            **os.environ,
            **sandbox_environment(config, sandbox.credentials),
            "DAGSTER_HOME": str(home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }
        # Two processes that both make the schema of an empty home would collide (dagster.md 12).
        made = subprocess.run(  # noqa: S603 (our own command)
            [dagster, "instance", "migrate"], env=environ, check=False, capture_output=True, text=True
        )
        if made.returncode:
            say(f"Dagster's history in {home} could not be made ready: {made.stderr.strip()[-400:]}")
        say(f"Starting Dagster on http://127.0.0.1:{port} ... Ctrl-C stops everything.")
        command = [dagster, "dev", "-h", "127.0.0.1", "-p", str(port), "-m", "ledger_pipelines.definitions"]
        with child(command, environ) as process:
            try:
                return process.wait()
            except KeyboardInterrupt:
                say("Stopping ...")
                return STOPPED


def _dagster_home() -> Path:
    """`DAGSTER_HOME`, or a folder beside the configuration with the shipped dagster.yaml in it."""
    given = os.environ.get("DAGSTER_HOME")
    home = Path(given) if given else Path(".dagster_home").resolve()
    home.mkdir(parents=True, exist_ok=True)
    shipped = Path("dagster.yaml")
    if shipped.exists() and not given:
        shutil.copyfile(shipped, home / "dagster.yaml")
    return home
