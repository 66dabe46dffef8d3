"""Verify → store the raw delivery and enqueue its workflow in one transaction → 202. Nothing else happens here."""
