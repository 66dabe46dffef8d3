"""The only place that knows SQL: tables, queries that take a Session, and migrations. Rows never hold secrets."""
