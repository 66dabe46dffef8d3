"""The held-out part, measured."""
