"""Clients of the model endpoint, and scorers of what training wrote: the only place that knows both."""
