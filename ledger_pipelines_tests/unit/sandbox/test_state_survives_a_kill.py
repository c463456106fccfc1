"""``--state``: what was answered before ``kill -9`` is there after it. Real processes."""

import base64
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ledger_pipelines_tests.unit.sandbox.kit import settlement


@contextmanager
def process(state: Path, seed: str = "empty") -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    command = [
        sys.executable,
        "-m",
        "ledger_pipelines.sandbox",
        "--port",
        "0",
        "--seed",
        seed,
        "--state",
        str(state),
    ]
    running = subprocess.Popen(
        [*command, "--vendors", "amazon"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        lines = [running.stdout.readline() for _ in range(2)]
        control, amazon = (re.search(r"http\S+", line) for line in lines)
        assert control is not None, running.stderr.read() if running.stderr else ""
        assert amazon is not None
        yield running, control.group(), amazon.group()
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate()


def test_reports_tokens_clock_and_late_applies_survive(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.sqlite"
    with process(state) as (running, control, amazon):
        credentials = httpx.get(f"{control}/credentials", trust_env=False).json()["amazon"]
        grant = {"grant_type": "refresh_token"} | {
            name: credentials[name] for name in ("client_id", "client_secret", "refresh_token")
        }
        body = {"name": "a.txt", "content_base64": base64.b64encode(settlement()).decode()}
        added = httpx.post(f"{control}/amazon/documents", json=body, trust_env=False).json()
        token = httpx.post(f"{amazon}/auth/o2/token", data=grant, trust_env=False).json()["access_token"]
        httpx.post(f"{control}/clock", json={"advance_seconds": 600}, trust_env=False)
        fault = {"vendor": "amazon", "kind": "apply_late", "seconds": 900}
        httpx.post(f"{control}/faults", json=fault, trust_env=False)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(f"{amazon}/auth/o2/token", data=grant, trust_env=False)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    with process(state) as (_, control, amazon):
        clock = httpx.get(f"{control}/clock", trust_env=False).json()
        assert clock["offset_seconds"] == 600
        answer = httpx.get(
            f"{amazon}/reports/2021-06-30/reports/{added['reportId']}",
            headers={"x-amz-access-token": token},
            trust_env=False,
        )
        assert answer.json()["reportDocumentId"] == added["reportDocumentId"]
        assert httpx.get(f"{control}/dump/amazon", trust_env=False).json()["tokens_issued"] == 1
        httpx.post(f"{control}/clock", json={"advance_seconds": 901}, trust_env=False)
        assert httpx.get(f"{control}/dump/amazon", trust_env=False).json()["tokens_issued"] == 2


def test_a_kept_state_is_not_seeded_again(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.sqlite"
    with process(state, "demo") as (_, control, _amazon):
        assert len(httpx.get(f"{control}/dump/amazon", trust_env=False).json()["reports"]) == 3
    with process(state, "demo") as (_, control, _amazon):
        assert len(httpx.get(f"{control}/dump/amazon", trust_env=False).json()["reports"]) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly_even_while_a_call_hangs(tmp_path: Path, number: signal.Signals) -> None:
    with process(tmp_path / "sandbox.sqlite") as (running, control, amazon):
        fault = {"vendor": "amazon", "kind": "hang", "seconds": 60}
        httpx.post(f"{control}/faults", json=fault, trust_env=False)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{amazon}/x", timeout=0.2, trust_env=False)
        running.send_signal(number)
        _, errors = running.communicate(timeout=20)
        assert running.returncode == 0
        assert errors == ""


def test_a_taken_port_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    with process(tmp_path / "sandbox.sqlite") as (_, control, _amazon):
        port = str(httpx.URL(control).port)
        again = subprocess.run(
            [sys.executable, "-m", "ledger_pipelines.sandbox", "--port", port],
            capture_output=True,
            text=True,
            check=False,
        )
        assert again.returncode == 2
        assert again.stderr.startswith(f"port {port} (control) cannot be used")
