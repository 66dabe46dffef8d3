"""From a chat model's answer to a program."""

import pytest

from training.forgetting.problems import Problem
from training.forgetting.programs import extract_program, render_question

PROBLEM = Problem(
    id="p",
    entry="double",
    task="Complete this Python function.",
    header='import math\n\n\ndef double(n: int) -> int:\n    """Twice n."""\n',
    solution="    return 2 * n\n",
    tests="assert double(4) == 8",
)


@pytest.mark.parametrize(
    "answer",
    [
        "Sure:\n```python\ndef double(n):\n    return 2 * n\n```\nThis doubles n.",
        "```\ndef double(n):\n    return 2 * n\n```",
        "def double(n):\n    return 2 * n",
        "def double(n):\n    return 2 * n\n\nThis function doubles its argument.",
        "```python\nprint(1)\n```\n```python\ndef double(n):\n    return 2 * n\n```",
        "```python\ndef double(n):\n    return 2 * n\n\ndef unfinished(",
        "    return 2 * n",
        "return 2 * n",
        "```python\n    return 2 * n\n```",
        "import math\n\ndef double(n):\n    return 2 * n",
    ],
    ids=["fenced", "unnamed fence", "bare", "with prose after", "second block", "cut", "body", "body flush left",
         "fenced body", "with imports"],
)  # fmt: skip
def test_the_function_is_found(answer: str) -> None:
    names: dict[str, object] = {}
    exec(extract_program(PROBLEM, answer), names)  # noqa: S102 - the answers above, ours
    assert callable(names["double"])
    assert names["double"](4) == 8


def test_the_headers_helpers_stay() -> None:
    answer = "```python\ndef double(n):\n    return int(math.ldexp(n, 1))\n```"
    names: dict[str, object] = {}
    exec(extract_program(PROBLEM, answer), names)  # noqa: S102 - the answer above, ours
    assert callable(names["double"])
    assert names["double"](4) == 8


@pytest.mark.parametrize("answer", ["", "I cannot help with that.", "```python\ndef triple(n):\n    return 3\n```"])
def test_no_answer_is_no_solution(answer: str) -> None:
    assert "2 * n" not in extract_program(PROBLEM, answer)


def test_the_question_shows_the_header_and_not_the_solution() -> None:
    (message,) = render_question(PROBLEM)
    assert "Twice n." in message.content
    assert "2 * n" not in message.content
