"""Which Examples a team's maintainers let into training: labels on a pull request, read from GitHub when it counts."""
