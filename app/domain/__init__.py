"""The nouns and the pure decisions. No input or output, no clock, no environment."""
