"""A snapshot's rows, read and turned into tokens."""
