"""People decide: the review app will live here (store, audit, app)."""
