"""`python -m app setup`: a page on loopback that creates the GitHub App and writes what the service needs to know."""
