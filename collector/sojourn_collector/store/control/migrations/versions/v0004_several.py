"""Several collectors on one database: nodes, leases, and batches claimed by a node before it has them on disk."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Everything so far is node 0's, and settled."""
    op.create_table(
        "nodes",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("host", sa.String(256), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("loaded_seq", sa.BigInteger, nullable=False),
        sa.Column("alive_until", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("id", name="nodes_id"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("node", sa.Integer, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
    )
    op.add_column("ledger", sa.Column("node", sa.Integer, nullable=False, server_default="0"))
    op.add_column("ledger", sa.Column("taken_over", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("ledger_claims", "ledger", ["node"], postgresql_where=sa.text("seq = 0"), sqlite_where=sa.text("seq = 0"))
    op.add_column("dead_letters", sa.Column("node", sa.Integer, nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "postgresql":  # SQLite knows no longest text
        op.alter_column("ledger", "batch_id", type_=sa.String(200), existing_type=sa.String(128), existing_nullable=False)


def downgrade() -> None:
    """Nothing goes back: a released version only upgrades forward."""
    raise NotImplementedError("the control database only goes forward; restore a backup instead")
