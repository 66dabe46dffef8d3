"""The documentation as a static site: pages of this folder, of the checkout's root and of the code, put together and
built by Sphinx (ADR 0029). `python -m docs.website` is what `make docs` runs."""
