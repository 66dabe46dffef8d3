"""From a merged pull request to Examples and Rejections: what was said, and what git says became of it."""
