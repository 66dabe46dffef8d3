"""What a repository's history teaches: commit messages beside their diff, docstrings beside their function."""
