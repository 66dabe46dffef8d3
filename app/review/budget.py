"""What one review may cost, in tokens and seconds, and what is asked for it. Pure."""

import math
from collections.abc import Sequence

#: UTF-8 bytes of a token of a prompt. Of 400 prompts of each of three Java teams under SmolLM2's tokenizer the median
#: was 3.0 to 3.5, the 5th percentile 2.4 to 2.9, the least 2.0. Counting would cost a request for each prompt.
BYTES_PER_TOKEN = 2.5
#: Tokens of the base's question, and of its answer: together what a server takes when nobody asked it for more.
QUESTION_TOKENS = 1_536
BASE_ANSWER_TOKENS = 480
#: Tokens of one answer of an adapter: above the longest comment that its schema lets through.
ANSWER_TOKENS = 220


def estimate_tokens(text: str) -> int:
    return math.ceil(len(text.encode(errors="replace")) / BYTES_PER_TOKEN)


def count_affordable(costs: Sequence[int], budget: int) -> int:
    """How many of the questions, in their order, may be asked: the first that goes past the budget ends it.

    Cheaper ones behind it are not taken in its stead, for they are worth less.
    """
    spent = 0
    for count, cost in enumerate(costs):
        spent += cost
        if spent > budget:
            return count
    return len(costs)
