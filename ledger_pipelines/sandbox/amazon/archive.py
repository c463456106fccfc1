"""The reports that one seller account has: kept, added, listed.

Belongs here: reports and their files in the state store. Does not belong here: HTTP.
"""

import base64
import hashlib
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from ledger_pipelines.sandbox.amazon.summary import Summary
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.state import StateStore

LISTED = timedelta(days=90)
CREATION_LAG = timedelta(minutes=100)
AUTO_GZIP_FROM = 10_000
"""Bytes from which ``compression: auto`` packs the document; Amazon's own rule is not known."""

MARKETPLACES = ("A2EUQ1WTGCTBG2", "ATVPDKIKX0DER", "A1AM78C64UM0Y8", "A2Q3Y263D00KWC")
_REPORTS, _CONTENT, _META = "amazon.report", "amazon.content", "amazon.meta"
_IDS = uuid.UUID("5e771e6e-0000-4000-8000-0000000a3a20")


@dataclass(frozen=True)
class Report:
    """One report. Instants are aware, UTC, whole seconds. ``compression`` is GZIP or none."""

    report_id: str
    report_type: str
    document_id: str
    name: str
    created: datetime
    data_start: datetime
    data_end: datetime
    status: str
    archived: bool
    compression: str
    charset: str | None
    settlement_id: str
    size: int
    sha256: str

    def as_api(self) -> dict[str, object]:
        """The Report object of the API, keys in the recorded order."""
        created = self.created.isoformat()
        done = {"processingEndTime": created} if self.status != "IN_PROGRESS" else {}
        document = {"reportDocumentId": self.document_id} if self.status == "DONE" else {}
        return {
            "reportType": self.report_type,
            **done,
            "processingStatus": self.status,
            "marketplaceIds": list(MARKETPLACES),
            **document,
            "reportId": self.report_id,
            "dataStartTime": self.data_start.isoformat(),
            "dataEndTime": self.data_end.isoformat(),
            "createdTime": created,
            "processingStartTime": created,
        }


class Archive:
    """The account's reports."""

    def __init__(self, store: StateStore, clock: SandboxClock):
        self._store = store
        self._clock = clock

    def clear(self) -> None:
        """Remove everything."""
        for namespace in (_REPORTS, _CONTENT, _META):
            self._store.clear(namespace)

    def add(
        self,
        content: bytes,
        name: str,
        summary: Summary,
        *,
        created: datetime | None = None,
        compression: str = "auto",
        charset: str | None = None,
        archived: bool = False,
        status: str = "DONE",
    ) -> Report:
        """A new report, with a new id also for a settlement that is there already (as after un-archiving)."""
        with self._store.transaction():
            number = 50000020300 + int(str(self._store.get(_META, "reports") or 0)) + 1
            self._store.put(_META, "reports", number - 50000020300)
            unique = uuid.uuid5(_IDS, str(number))
            report = Report(
                report_id=str(number),
                report_type=summary.report_type,
                document_id=f"amzn1.spdoc.1.4.na.{unique}.T{number % 10**13:013d}.5900",
                name=name,
                created=(created or self._created(summary)).replace(microsecond=0),
                data_start=summary.start,
                data_end=summary.end,
                status=status,
                archived=archived,
                compression=_compression(compression, len(content)),
                charset=charset,
                settlement_id=summary.settlement_id,
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
            )
            self._store.put(_CONTENT, report.document_id, base64.b64encode(content).decode("ascii"))
            self._put(report)
        return report

    def change(self, report: Report, status: str | None, archived: bool | None) -> Report:
        """Another processing status, or archived by hand or not."""
        changed = replace(
            report,
            status=report.status if status is None else status,
            archived=report.archived if archived is None else archived,
        )
        self._put(changed)
        return changed

    def all(self) -> list[Report]:
        """Every report, newest first."""
        reports = [msgspec.convert(body, Report) for _, body in self._store.items(_REPORTS)]
        return sorted(reports, key=lambda r: (r.created, int(r.report_id)), reverse=True)

    def by_id(self, report_id: str) -> Report | None:
        """The report with this id."""
        body = self._store.get(_REPORTS, report_id)
        return None if body is None else msgspec.convert(body, Report)

    def by_document(self, document_id: str) -> Report | None:
        """The finished report with this document."""
        return next((r for r in self.all() if r.document_id == document_id and r.status == "DONE"), None)

    def content(self, document_id: str) -> bytes:
        """The document as it was put in, unpacked."""
        return base64.b64decode(str(self._store.get(_CONTENT, document_id)))

    def _put(self, report: Report) -> None:
        self._store.put(_REPORTS, report.report_id, msgspec.to_builtins(report))

    def _created(self, summary: Summary) -> datetime:
        # An old file put in today is listed as just un-archived; otherwise no listing would ever show it.
        now = self._clock.now()
        usual = summary.end + CREATION_LAG
        return usual if now - LISTED + timedelta(days=5) < usual <= now else now


def _compression(wish: str, size: int) -> str:
    if wish == "auto":
        return "GZIP" if size >= AUTO_GZIP_FROM else "none"
    return wish
