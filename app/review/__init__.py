"""Making a review: where to look, what to say, whether to say it, and posting it once."""
