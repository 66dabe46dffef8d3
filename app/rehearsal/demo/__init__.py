"""`python -m app demo`: the whole loop on this machine, told as a story with its figures."""
