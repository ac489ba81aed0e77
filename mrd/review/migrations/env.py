"""How alembic reaches the database: through the connection it was given."""

from __future__ import annotations

from alembic import context

from mrd.review.schema import META

context.configure(connection=context.config.attributes["connection"], target_metadata=META, transactional_ddl=True)
context.run_migrations()
