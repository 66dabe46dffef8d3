"""The base's tokenizer, read from its folder and nowhere else."""

from pathlib import Path

from transformers import AutoTokenizer

from training.rows.tokenising import Tokenizer


def load_tokenizer(base: Path) -> Tokenizer:
    return Tokenizer(AutoTokenizer.from_pretrained(base, local_files_only=True))
