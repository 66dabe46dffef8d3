"""`python -m app doctor`: what is wrong with an installation, and the cure. Probes look, checks decide and are pure."""
