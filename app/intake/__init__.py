"""Verify → store the raw delivery → 202. What it asks for, `app.workflows.dispatching` decides later."""
