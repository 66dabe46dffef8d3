"""What the base could do that is no review, and what a team's own words must not become: forgetting and leaks."""
