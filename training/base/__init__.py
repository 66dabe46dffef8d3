"""The base checkpoint: made or adopted, held in a precision, read with its own tokenizer."""
