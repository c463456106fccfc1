"""A contender's jobs, one after the other: each line of standard input names one, each is answered with what it cost.

Used by programs of the peers' environment and of ours alike: nothing but the standard library. Belongs here: the measuring,
the same for all. Does not belong here: what is run.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def serve(run: Callable[[dict[str, Any], Path], None]) -> None:
    """Run each job (what its file says, the folder it lands in), and tell its seconds, CPU seconds and peak memory."""
    for line in sys.stdin:
        job = json.loads(Path(line.strip()).read_text())
        Path("/proc/self/clear_refs").write_text("5")  # the peak of the job before is forgotten
        began, cpu = time.monotonic(), time.process_time()
        run(job, Path(job["folder"]))
        cost = {
            "seconds": time.monotonic() - began,
            "cpu": time.process_time() - cpu,
            "peak": int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024,
        }
        print("COST " + json.dumps(cost), flush=True)
