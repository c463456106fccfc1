"""A code location with 50 connections that does nothing: how long it takes to load, what it holds, against an empty one.

    python -m benchmarks idle [--quick]

Belongs here: fresh processes that load and say what they hold. Does not belong here: ticks, runs.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.report import Goal, Section, Tabular
from benchmarks.running import as_installed
from ledger_pipelines_tests.dagster.kit import SHIPPED

PAIRS, QUICK_PAIRS = 25, 5
"""Pairs of connections, each an Amazon account and a NetSuite account, with an integration between them."""
REPEATS, QUICK_REPEATS = 5, 2
LONGEST = 10.0
"""Seconds in which Dagster has to have such a location, of the 180 it waits by default."""
_LOAD = """
import json, pathlib, re, time
started, busy = time.perf_counter(), time.process_time()
{source}
repository = defs.get_repository_def()
assets = len(defs.resolve_asset_graph().get_all_asset_keys())
held = {{"seconds": time.perf_counter() - started, "cpu": time.process_time() - busy, "assets": assets, "sensors": len(repository.sensor_defs),
        "mib": int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024}}
print(json.dumps(held))
"""
_OURS = "from ledger_pipelines.definitions import defs"
_EMPTY = "import dagster as dg\ndefs = dg.Definitions()"


def configuration_of(pairs: int) -> str:
    """The shipped ledger.yaml with its two connections and its integration so many times."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - only here

    yaml = YAML(typ="safe", pure=True)
    document = yaml.load(SHIPPED.read_text())
    connections, integrations = document["connections"], document["integrations"]
    amazon, netsuite, one = connections["amazon_us"], connections["netsuite"], integrations["amazon_netsuite"]
    document["connections"], document["integrations"] = {}, {}
    for number in range(1, pairs + 1):
        drop = amazon["drop"] | {"path": f"drop/{number}"}
        document["connections"][f"amazon_{number}"] = amazon | {"drop": drop}
        document["connections"][f"netsuite_{number}"] = netsuite
        document["integrations"][f"books_{number}"] = one | {
            "source": f"amazon_{number}",
            "target": f"netsuite_{number}",
        }
    return json.dumps(document, default=str)


def loaded(source: str, config: Path | None, compiled: Path) -> dict[str, float]:
    """What a fresh process that loads the location says."""
    installed = as_installed(compiled)
    environ = {name: value for name, value in installed.items() if not name.startswith("LEDGER_")}
    if config is not None:
        environ["LEDGER_CONFIG"] = str(config)
    command = [sys.executable, "-c", _LOAD.format(source=source)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environ)
    held: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return held


def section(quick: bool) -> Section:
    """Both in turn."""
    pairs = QUICK_PAIRS if quick else PAIRS
    ours, empty = [], []
    with tempfile.TemporaryDirectory(prefix="ledger-idle-") as place:
        config = Path(place) / "ledger.yaml"
        config.write_text(configuration_of(pairs))
        loaded(_OURS, config, Path(place))  # once, so that all is compiled
        for _ in range(QUICK_REPEATS if quick else REPEATS):
            empty.append(loaded(_EMPTY, None, Path(place)))
            ours.append(loaded(_OURS, config, Path(place)))
    fewest = 24 * pairs
    if ours[0]["assets"] < fewest or ours[0]["sensors"] < pairs:
        raise SystemExit(f"the location has {ours[0]['assets']:.0f} assets only: connections were left out")
    rows = [
        [
            name, f"{held[0]['assets']:,.0f}", f"{held[0]['sensors']:,.0f}",
            f"{statistics.median(one['seconds'] for one in held):.2f}", f"{min(one['seconds'] for one in held):.2f}",
            f"{statistics.median(one['cpu'] for one in held):.2f}", f"{statistics.median(one['mib'] for one in held):.0f}",
        ]
        for name, held in (("empty Dagster location", empty), (f"{2 * pairs} connections", ours))
    ]  # fmt: skip
    median = statistics.median(one["seconds"] for one in ours)
    return Section(
        f"An idle code location with {2 * pairs} connections",
        "python -m benchmarks idle",
        (Tabular(["", "assets", "sensors", "seconds, median", "minimum", "CPU s, median", "peak MiB"], rows),),
        {"ours": ours, "empty": empty},
        (Goal(f"{2 * pairs} connections load in {median:.2f} s (Dagster waits 180 s; ours to keep: {LONGEST:.0f} s)", median <= LONGEST),),
    )  # fmt: skip
