"""The sandbox's own wall clock, so that an hour passes without waiting for it.

Belongs here: what time it is for the vendors (UTC). Does not belong here: the real seconds of a hang or a slow
answer, which a client feels on its own clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class ClockState:
    """How the clock differs from real time: an offset, or an instant at which it stands still."""

    offset_seconds: float = 0.0
    frozen_at: datetime | None = None


class SandboxClock:
    """A UTC wall clock that can be shifted, frozen, advanced and resumed.

    ``on_change`` is called with the new state after each change (the server keeps it in the state file).
    """

    def __init__(
        self, state: ClockState | None = None, on_change: Callable[[ClockState], None] | None = None
    ):
        self._state = state or ClockState()
        self._on_change = on_change

    @property
    def state(self) -> ClockState:
        """The present offset and freeze."""
        return self._state

    def now(self) -> datetime:
        """The sandbox's present instant, aware, UTC."""
        if self._state.frozen_at is not None:
            return self._state.frozen_at
        return datetime.now(UTC) + timedelta(seconds=self._state.offset_seconds)

    def shift(self, offset_seconds: float) -> None:
        """Run at real time plus ``offset_seconds`` (0 = real time)."""
        self._set(ClockState(offset_seconds=offset_seconds))

    def freeze(self, at: datetime | None = None) -> None:
        """Stand still at ``at`` (aware), or at the present instant."""
        instant = (at or self.now()).astimezone(UTC)
        self._set(ClockState(self._state.offset_seconds, instant))

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds``, frozen or not."""
        if self._state.frozen_at is not None:
            frozen = self._state.frozen_at + timedelta(seconds=seconds)
            self._set(ClockState(self._state.offset_seconds, frozen))
        else:
            self._set(ClockState(self._state.offset_seconds + seconds))

    def resume(self) -> None:
        """Run again from the instant at which the clock stood still."""
        if self._state.frozen_at is not None:
            self._set(ClockState((self._state.frozen_at - datetime.now(UTC)).total_seconds()))

    def keep(self) -> None:
        """Have the present state kept again (the state under it was put back to a snapshot)."""
        self._set(self._state)

    def _set(self, state: ClockState) -> None:
        self._state = state
        if self._on_change is not None:
            self._on_change(state)
