"""How each pulled feed stands."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No feed was asked yet."""
    op.create_table(
        "feeds",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("pulled_at", sa.BigInteger),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("items", sa.BigInteger, nullable=False),
        sa.Column("fresh", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("validators", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Nothing goes back: a released version only upgrades forward."""
    raise NotImplementedError("the control database only goes forward; restore a backup instead")
