"""What an operator does with all the data at once: move it to PostgreSQL, back it up, restore it."""
