"""Promote, Hold or Reject: pure functions from reports to reasons, and from reasons to a verdict."""
