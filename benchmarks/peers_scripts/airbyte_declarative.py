"""airbyte-cdk's declarative source, read through its entrypoint, its messages' records written as JSON lines.

Run as a file by `benchmarks.extraction` in the peers' environment: jobs by standard input (`jobs`).
Belongs here: the manifest and its reading. Does not belong here: anything of ours.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from jobs import serve

logging.disable(logging.CRITICAL)


def run(job: dict[str, Any], folder: Path) -> None:
    """One reading of the stream."""
    manifest = {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["sales_orders"]},
        "streams": [{
            "type": "DeclarativeStream",
            "name": "sales_orders",
            "primary_key": ["id"],
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {
                    "type": "HttpRequester",
                    "url_base": job["base_url"],
                    "path": "/services/rest/query/v1/suiteql",
                    "http_method": "POST",
                    "authenticator": {"type": "BearerAuthenticator", "api_token": job["token"]},
                    "request_headers": {"Prefer": "transient"},
                    "request_body_json": {"q": job["q"], "params": job["params"]},
                },
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": ["items"]},
                },
                "paginator": {
                    "type": "DefaultPaginator",
                    "page_size_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "limit"},
                    "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "offset"},
                    # OffsetIncrement asks once more after a full last page, which NetSuite refuses at 100,000
                    "pagination_strategy": {
                        "type": "CursorPagination", "page_size": job["page"],
                        "cursor_value": "{{ response['offset'] + response['count'] }}",
                        "stop_condition": "{{ not response['hasMore'] }}",
                    },
                },
            },
        }],
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
    }  # fmt: skip
    stream = {"name": "sales_orders", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    catalog = {
        "streams": [{"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}]
    }
    (folder / "config.json").write_text("{}")
    (folder / "catalog.json").write_text(json.dumps(catalog))
    source = ConcurrentDeclarativeSource(
        catalog=ConfiguredAirbyteCatalogSerializer.load(catalog),
        config={},
        state=None,
        source_config=manifest,
    )
    arguments = ["read", "--config", str(folder / "config.json"), "--catalog", str(folder / "catalog.json")]
    with (folder / "records.jsonl").open("w") as out:
        for line in AirbyteEntrypoint(source).run(AirbyteEntrypoint.parse_args(arguments)):
            if '"type":"RECORD"' in line[:400]:
                out.write(line + "\n")


serve(run)
