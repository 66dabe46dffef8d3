"""vLLM on loopback, the adapters it should hold, the probes that prove it, and the front that guards it."""
