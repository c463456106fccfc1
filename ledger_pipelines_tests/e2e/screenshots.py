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
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from ledger_pipelines.orchestration.schedules import range_tags
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


def omni_pages(day: date) -> dict[str, tuple[str, str]]:
    """The same of a store's orders into Omni."""
    partition = f"?view=partitions&partition={day.isoformat()}"
    return {
        "omni-graph": ("/locations/ledger_pipelines/asset-groups/neto_cin7", "3200,700"),
        "omni-store-lineage": ("/assets/shop/orders?view=lineage&lineageScope=downstream", "2600,900"),
        "omni-status-updates": (f"/assets/neto_cin7/status_updates/export{partition}", "1500,1900"),
        "omni-reconciliation": (f"/assets/neto_cin7/reconciliation{partition}", "1500,1900"),
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


def _amazon(chromium: str, to: Path, folder: Path) -> None:
    with running(folder) as stack:
        demo = demo_settlement_files()[0]
        stack.drop(demo.name, demo.content)
        run_id = wait("the run", 120, lambda: _done(stack))
        _shoot_all(chromium, stack, to, pages(run_id))


def _omni(chromium: str, to: Path, folder: Path) -> None:
    """Initial sync and sync as a person would press them; the sandbox's limits of calls are lifted."""
    quick = "account: demo\n    calls_per_minute: 600\n    seconds_between_calls: 0\n"
    with running(
        folder, **{"account: demo # connections with the same name share its limits\n": quick}
    ) as stack:
        for vendor, lifted in (
            ("cin7", {"per_second": None, "per_minute": None}), ("neto", {"calls_per_minute": None}),
        ):  # fmt: skip
            answer = httpx.post(f"{stack.control}/{vendor}/settings", json=lifted, trust_env=False)
            answer.raise_for_status()
        begin, last = date(2026, 8, 1), datetime.now(ZoneInfo("Australia/Sydney")).date()
        for job, first in (("neto_cin7_initial_sync", begin), ("neto_cin7_sync", date(2026, 10, 5))):
            run_id = stack.launch(job, range_tags(first, last))
            wait(job, 600, lambda run_id=run_id: _over(stack, run_id))  # type: ignore[misc]
            sys.stdout.write(f"{job}: {_over(stack, run_id)}\n")
        _shoot_all(chromium, stack, to, omni_pages(last))


def _over(stack: Stack, run_id: str) -> str | None:
    status = next(run["status"] for run in stack.runs() if run["runId"] == run_id)
    return str(status) if status in _OVER else None


def _shoot_all(chromium: str, stack: Stack, to: Path, chosen: dict[str, tuple[str, str]]) -> None:
    for name, (path, size) in chosen.items():
        target = to / f"{name}.png"
        shoot(chromium, stack.url + path, size, target)
        sys.stdout.write(f"{target} ({target.stat().st_size:,} bytes)\n")


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 2 where there is no Chromium."""
    parser = argparse.ArgumentParser(description="Screenshots of the UI for the documentation.")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    parser.add_argument("--only", choices=("amazon", "omni"))
    given = parser.parse_args(arguments)
    if shutil.which(given.chromium) is None:
        sys.stderr.write("There is no Chromium here; on Debian: apt-get install chromium\n")
        return 2
    given.to.mkdir(parents=True, exist_ok=True)
    for show in (_amazon, _omni) if given.only is None else ({"amazon": _amazon, "omni": _omni}[given.only],):
        with tempfile.TemporaryDirectory() as folder:
            show(given.chromium, given.to, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
