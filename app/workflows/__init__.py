"""Durable workflows: thin orders of steps over the use cases. The package `engine` alone knows DBOS."""
