"""Keys that follow each other are one sender: batches and watermarks go on when a key is rotated."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every key so far is a sender of its own."""
    op.add_column("keys", sa.Column("sender", sa.String(32), nullable=False, server_default=""))
    op.execute("UPDATE keys SET sender = id")


def downgrade() -> None:
    """Nothing goes back: a released version only upgrades forward."""
    raise NotImplementedError("the control database only goes forward; restore a backup instead")
