"""Erasures with their state, the tombstones they leave, and the key of the digests in both."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables and this installation's key."""
    op.create_table(
        "erasures",
        sa.Column("id", _BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("orders", sa.String(16), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("work", sa.Text, nullable=False),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sa.Column("done_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tombstones",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    key = op.create_table("erasure_key", sa.Column("id", sa.Integer, primary_key=True), sa.Column("key", sa.String(64), nullable=False))
    op.bulk_insert(key, [{"id": 1, "key": secrets.token_hex(32)}])


def downgrade() -> None:
    """Nothing goes back: a released version only upgrades forward."""
    raise NotImplementedError("the control database only goes forward; restore a backup instead")
