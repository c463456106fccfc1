"""The index by state knows when an effect was confirmed: the latest confirmed ones are found without sorting all of them.

They are the control records of a search (`sync.absence`), asked for whenever a call's answer was lost.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("effects_by_state", "effects")
    op.create_index("effects_by_state", "effects", ["connection", "state", "confirmed_at"])
