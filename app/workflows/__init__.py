"""Durable workflows: thin orders of steps over the use cases. `engine` is the only file that knows DBOS."""
