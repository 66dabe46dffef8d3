"""The only place that knows GitHub: its API over githubkit as transport, and its repositories over git."""
