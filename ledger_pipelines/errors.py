"""Errors, named by what to do next.

Belongs here: the exception tree every room raises from. One class per recovery, as in reliability.md 1.3.
Does not belong here: how a vendor's answer becomes one of these (`systems/<vendor>`), or who retries (`sync`).

Every message names the record or the file it is about, and the remedy, in words a bookkeeper can follow.
"""

from __future__ import annotations


class LedgerError(Exception):
    """Base of all errors this product raises on purpose.

    Args:
        message: One sentence: what is wrong, with the record's own number.
        remedy: One sentence: what the reader can do about it.
        code: Stable short code, lower-case with hyphens; part of the API.
    """

    default_code = "error"

    def __init__(self, message: str, *, remedy: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code or self.default_code

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ConfigurationError(LedgerError):
    """The user's configuration or command must change; nothing was called."""

    default_code = "configuration"


class DataError(LedgerError):
    """The source's data cannot be used as it is; it is kept and shown, never repaired by guess."""

    default_code = "data"


class RefusedError(LedgerError):
    """A gate of our own refused: stale plan, tripped guard, failed check."""

    default_code = "refused"


class TransientError(LedgerError):
    """Definitely not applied, and worth trying again later (rate limit, refused connection).

    Args:
        retry_after: Seconds the other side asked us to wait, if it said so.
    """

    default_code = "transient"

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        code: str | None = None,
        retry_after: float | None = None,  # not money: seconds
    ) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.retry_after = retry_after


class StorageError(TransientError):
    """This machine refuses a file, a handle or memory: nothing half-written counts, and running again goes on from there."""

    default_code = "storage"


class PermanentError(LedgerError):
    """The other side refused this request for good; the same request will be refused again."""

    default_code = "permanent"


class CredentialError(PermanentError):
    """The other side refuses our credentials or rights; the connection is parked after the first refusal."""

    default_code = "credentials"


class UnknownOutcomeError(LedgerError):
    """The request may or may not have been applied: a state to resolve by evidence, never to guess."""

    default_code = "unknown-outcome"
