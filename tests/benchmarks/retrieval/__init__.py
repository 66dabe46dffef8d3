"""Retrieval measured: whether it finds what was said about the same issue, and what it costs."""
