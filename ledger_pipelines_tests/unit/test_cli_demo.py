"""The demo, whole: what a newcomer sees first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

SHIPPED = Path(__file__).parents[2] / "ledger.yaml"


@pytest.mark.slow
def test_the_demo_reconciles_every_settlement_and_leaves_nothing_running(tmp_path: Path) -> None:
    shutil.copy(SHIPPED, tmp_path)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    program = [
        sys.executable,
        "-c",
        "import sys; from ledger_pipelines.cli import main; sys.exit(main(['demo']))",
    ]
    done = subprocess.run(
        program, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1/6" in done.stderr, "progress is shown"
    lines = [line.split() for line in done.stdout.splitlines()]
    reconciled = [line for line in lines if line[-1:] == ["reconciled"]]
    assert reconciled[0][:5] == ["26000000001", "64.50", "64.50", "0.00", "0.00"]
    assert len(reconciled) == 3
    assert ["1051", "Amazon", "Clearing", "USD", "0.00"] in lines
    log = (tmp_path / ".ledger" / "demo" / "sandbox.log").read_text()
    port = log.splitlines()[0].rsplit(":", 1)[1]
    assert not _listens(int(port)), "the sandbox has stopped"


def _listens(port: int) -> bool:
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        if not any(
            c.laddr and c.laddr.port == port and c.status == "LISTEN" for c in psutil.net_connections("tcp")
        ):
            return False
        time.sleep(0.1)
    return True
