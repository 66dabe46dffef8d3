"""Alembic's scripts. Run by `app.store.migrate`; a released one is never edited."""
