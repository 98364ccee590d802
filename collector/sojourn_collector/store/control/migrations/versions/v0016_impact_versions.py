"""Versions of impact.yaml: what decided the scores since when, and what was changed."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """None is known yet; the next start writes the first."""
    op.create_table(
        "impact_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_index("impact_versions_since", "impact_versions", ["tenant", "since"])


def downgrade() -> None:
    """Nothing goes back: a released version only upgrades forward."""
    raise NotImplementedError("the control database only goes forward; restore a backup instead")
