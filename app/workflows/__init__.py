"""Durable workflows: thin orders of steps over the use cases. the package `engine` alone knows DBOS."""
