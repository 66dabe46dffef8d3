"""From approved Examples to an immutable DatasetSnapshot, and from other people's review comments to the same."""
