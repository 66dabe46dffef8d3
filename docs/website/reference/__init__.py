"""Pages of the reference: rendered from the code at every build, kept nowhere."""
