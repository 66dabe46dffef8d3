"""A stand-in GitHub over real bare git repositories, recorded pull requests, the demo and `rehearse`."""
