"""What may not be learned from whoever said it: secrets, personal data, machines, repetition. Pure."""
