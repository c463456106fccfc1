"""Screenshots of the UI for docs/images, taken by headless Chromium from a real run on the sandbox.

    python -m ledger_pipelines_tests.e2e.screenshots [--to docs/images] [--chromium /usr/bin/chromium]

Belongs here: which pages, and waiting until they are drawn. Does not belong here: assertions.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ledger_pipelines.sandbox.amazon.demo_files import demo_settlement_files
from ledger_pipelines_tests.e2e.stack import ROOT, Stack, running, wait

SID = "26000000001"
_OVER = {"SUCCESS", "FAILURE", "CANCELED"}


def pages(run_id: str) -> dict[str, tuple[str, str]]:
    """Name of the picture -> (path in the UI, size of the window)."""
    asset = f"/assets/amazon_us/settlements?view=partitions&partition={SID}"
    figures = f"/assets/amazon_netsuite/reconciliation?view=partitions&partition={SID}"
    export = f"/assets/amazon_netsuite/payments/export?view=partitions&partition={SID}"
    return {
        "asset-graph": ("/locations/ledger_pipelines/asset-groups/amazon_netsuite", "4000,560"),
        "asset-list": ("/locations/ledger_pipelines/asset-groups/amazon_netsuite/list", "1700,1150"),
        "run": (f"/runs/{run_id}", "1700,1100"),
        "settlement": (asset, "1500,1900"),
        "reconciliation": (figures, "1500,1300"),
        "payments-export": (export, "1500,1900"),
    }


def shoot(chromium: str, url: str, size: str, to: Path) -> None:
    """One picture; the page gets time to draw itself."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                chromium,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--force-color-profile=srgb",
                f"--user-data-dir={profile}",
                f"--window-size={size}",
                "--virtual-time-budget=20000",
                f"--screenshot={to}",
                url,
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )


def _done(stack: Stack) -> str | None:
    runs = [run for run in stack.runs(ledger__settlement=SID) if run["status"] in _OVER]
    return str(runs[0]["runId"]) if runs else None


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 2 where there is no Chromium."""
    parser = argparse.ArgumentParser(description="Screenshots of the UI for the documentation.")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    given = parser.parse_args(arguments)
    if shutil.which(given.chromium) is None:
        sys.stderr.write("There is no Chromium here; on Debian: apt-get install chromium\n")
        return 2
    given.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as stack:
        demo = demo_settlement_files()[0]
        stack.drop(demo.name, demo.content)
        run_id = wait("the run", 120, lambda: _done(stack))
        for name, (path, size) in pages(run_id).items():
            target = given.to / f"{name}.png"
            shoot(given.chromium, stack.url + path, size, target)
            sys.stdout.write(f"{target} ({target.stat().st_size:,} bytes)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
