"""What a training process needs around it: files, locks, progress, and being the right kind of process."""
