"""Token buckets with the documented default figures, on the sandbox's clock.

Belongs here: rates, bursts and their arithmetic (reference amazon-settlement.md 15.1, 15.3). Does not belong here:
answers and headers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Limit:
    """Tokens per second as Amazon prints it, the interval of one token, and the size of the bucket."""

    header: str
    interval: timedelta
    burst: int


LIMITS: dict[str, Limit] = {
    "getReports": Limit("0.0222", timedelta(seconds=45), 10),
    "getReport": Limit("2.0", timedelta(seconds=0.5), 15),
    "getReportDocument": Limit("0.0167", timedelta(seconds=60), 15),
    "createReport": Limit("0.0167", timedelta(seconds=60), 15),
}


class TokenBucket:
    """A bucket that starts full and fills continuously, up to its burst."""

    def __init__(self, limit: Limit, now: datetime):
        self._limit = limit
        self._full_at = now
        self._seen = now

    def take(self, now: datetime) -> bool:
        """Take one token; ``False`` when there is none. The bucket is kept as the instant at which it is full."""
        if now < self._seen:  # the sandbox's clock was set back: no time has passed for the bucket
            self._full_at -= self._seen - now
        self._seen = now
        full_at = max(self._full_at, now) + self._limit.interval
        if full_at - now > self._limit.burst * self._limit.interval:
            return False
        self._full_at = full_at
        return True
