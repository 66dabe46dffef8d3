"""Golden tokens of a base: made once beside the weights, then compared with what this machine's libraries give."""

from pathlib import Path

from app.domain.errors import UserError
from app.domain.goldens import FILE, TEXTS, GoldenPrompt, Goldens, GoldenText, find_difference, golden_prompts
from training.process.files import load_record
from training.rows.tokenising import Tokenizer

#: Goldens of the embedded base's tokenizer as first published, so that an upgrade of a library is noticed even where
#: the base is made anew with it.
_EMBEDDED = Path(__file__).parent / "smollm2.goldens.json"
_EMBEDDED_NAMES = ("SmolLM2-135M-Instruct", "tiny-llama-random")


def make_goldens(tokenizer: Tokenizer) -> Goldens:
    return Goldens(
        texts=tuple(GoldenText(text=text, tokens=tokenizer.text(text)) for text in TEXTS),
        prompts=tuple(GoldenPrompt(messages=prompt, tokens=tokenizer.prompt(prompt)) for prompt in golden_prompts()),
    )


def load_goldens(base: Path, *, name: str) -> Goldens | None:
    """Those stored with the base, or published with this program for the embedded one; None where there are none."""
    for path in (base / FILE, *((_EMBEDDED,) if name in _EMBEDDED_NAMES else ())):
        if path.is_file():
            return load_record(path, Goldens, what="golden tokens of a base")
    return None


def check_goldens(stored: Goldens, tokenizer: Tokenizer) -> None:
    """The stored texts and prompts give the stored ids.

    Raises:
        UserError: with the first text or prompt that does not.
    """
    compared = [(repr(item.text[:40]), item.tokens, tokenizer.text(item.text)) for item in stored.texts]
    for number, prompt in enumerate(stored.prompts):
        compared.append((f"golden prompt {number}", prompt.tokens, tokenizer.prompt(prompt.messages)))
    for what, wanted, found in compared:
        difference = find_difference(wanted, found)
        if difference is not None:
            raise UserError(
                f"the tokenizer or template changed: in {what} {difference}. Adapters would be trained on other tokens "
                "than those before; install the pinned versions, or make the base anew in an empty folder and retrain"
            )
