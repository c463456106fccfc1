"""What was called, how often, and how many calls were open at once.

Belongs here: counters by vendor, method, path pattern and status. Does not belong here: bodies, headers, secrets.
"""

from collections import Counter
from dataclasses import dataclass

NO_ANSWER = 0
"""The status counted for a call whose connection was cut before an answer."""


@dataclass(frozen=True)
class CallKey:
    """One line of the count. ``path`` has its ids replaced by ``{id}``; ``status`` 0 means no answer left."""

    vendor: str
    method: str
    path: str
    status: int


class CallLog:
    """Counts of calls and the highest concurrency, a vendor at a time."""

    def __init__(self) -> None:
        self._counts: Counter[CallKey] = Counter()
        self._open: Counter[str] = Counter()
        self._most_open: Counter[str] = Counter()

    def begin(self, vendor: str) -> None:
        """A request of ``vendor`` has arrived."""
        self._open[vendor] += 1
        self._most_open[vendor] = max(self._most_open[vendor], self._open[vendor])

    def end(self, key: CallKey) -> None:
        """The request is over: answered with ``key.status``, or cut (status 0)."""
        self._open[key.vendor] -= 1
        self._counts[key] += 1

    def in_flight(self, vendor: str) -> int:
        """How many calls of ``vendor`` are open now."""
        return self._open[vendor]

    def clear(self) -> None:
        """Forget the counts; calls now open stay counted as open."""
        self._counts.clear()
        self._most_open = Counter(self._open)

    def as_json(self, vendor: str | None = None) -> dict[str, object]:
        """``{"calls": [{vendor, method, path, status, count}], "totals": {vendor: n}, "max_concurrency": {vendor: n},
        "open": {vendor: n}}``; a call is counted when it is over, and open until then."""
        chosen = sorted(
            ((key, count) for key, count in self._counts.items() if vendor in (None, key.vendor)),
            key=lambda item: (item[0].vendor, item[0].path, item[0].method, item[0].status),
        )
        totals: Counter[str] = Counter()
        for key, count in chosen:
            totals[key.vendor] += count
        return {
            "calls": [
                {"vendor": k.vendor, "method": k.method, "path": k.path, "status": k.status, "count": n}
                for k, n in chosen
            ],
            "totals": dict(totals),
            "max_concurrency": {v: n for v, n in sorted(self._most_open.items()) if vendor in (None, v)},
            "open": {v: n for v, n in sorted(self._open.items()) if vendor in (None, v)},
        }
