"""What is trained, from top to bottom, and the files that come out."""
