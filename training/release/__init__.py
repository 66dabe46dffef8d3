"""What people read and check of a learning round: the page, the card, the spot check, the signature."""
