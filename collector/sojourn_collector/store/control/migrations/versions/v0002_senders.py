"""Watermarks of each sender: a source is known up to its slowest one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table anew. What stood in it cannot be told apart by sender; each says it again with its next orders."""
    op.drop_table("watermarks")
    op.create_table(
        "watermarks",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("sender", sa.String(32), primary_key=True),
        sa.Column("ts", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Nothing goes back: a released version only upgrades forward."""
    raise NotImplementedError("the control database only goes forward; restore a backup instead")
