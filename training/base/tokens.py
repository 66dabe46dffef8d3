"""The base's tokenizer, read from its folder and nowhere else.

The library is imported when a tokenizer is wanted: a base that is only looked at is looked at in a moment.
"""

from pathlib import Path

from training.rows.tokenising import Tokenizer


def load_tokenizer(base: Path) -> Tokenizer:
    from transformers import AutoTokenizer

    return Tokenizer(AutoTokenizer.from_pretrained(base, local_files_only=True))
