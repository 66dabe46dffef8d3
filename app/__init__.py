"""Understudy's service: intake, harvest, curation, snapshots, reviews. Never imports a learning library."""
