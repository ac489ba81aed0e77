"""Changes of the review's database, in order; alembic applies them."""
