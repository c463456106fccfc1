"""dlt's rest_api source into Parquet files, as its documentation recommends: one POST resource, offset paginator.

Run as a file by `benchmarks.extraction` in the peers' environment: dlt_rest_api.py JOB.json; prints what it cost.
Belongs here: dlt's configuration. Does not belong here: anything of ours.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import dlt
from dlt.destinations import filesystem
from dlt.sources.rest_api import rest_api_source

job = json.loads(Path(sys.argv[1]).read_text())
began, cpu = time.monotonic(), time.process_time()
source = rest_api_source({
    "client": {
        "base_url": job["base_url"] + "/services/rest/query/v1/",
        "auth": {"type": "bearer", "token": job["token"]},
        "headers": {"Prefer": "transient"},
    },
    "resources": [{
        "name": "sales_orders",
        "write_disposition": "replace",
        "endpoint": {
            "path": "suiteql",
            "method": "POST",
            "json": {"q": job["q"], "params": job["params"]},
            "data_selector": "items",
            "paginator": {
                "type": "offset", "limit": job["page"], "limit_param": "limit", "offset_param": "offset",
                "total_path": "totalResults",
            },
        },
    }],
})  # fmt: skip
pipeline = dlt.pipeline(
    "extraction",
    pipelines_dir=job["folder"] + "/pipelines",
    destination=filesystem(bucket_url="file://" + job["folder"] + "/landed"),
    dataset_name="netsuite",
)
pipeline.run(source, loader_file_format="parquet")
cost = {
    "seconds": time.monotonic() - began,
    "cpu": time.process_time() - cpu,
    "peak": int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024,
}
print("COST " + json.dumps(cost))
