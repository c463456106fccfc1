"""dlt's rest_api source into Parquet files, as its documentation recommends: one POST resource, offset paginator.

Run as a file by `benchmarks.extraction` in the peers' environment: jobs by standard input (`jobs`).
Belongs here: dlt's configuration. Does not belong here: anything of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlt
from dlt.destinations import filesystem
from dlt.sources.rest_api import rest_api_source
from jobs import serve


def run(job: dict[str, Any], folder: Path) -> None:
    """One pipeline."""
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
        pipelines_dir=str(folder / "pipelines"),
        destination=filesystem(bucket_url=f"file://{folder}/landed"),
        dataset_name="netsuite",
    )
    pipeline.run(source, loader_file_format="parquet")


serve(run)
