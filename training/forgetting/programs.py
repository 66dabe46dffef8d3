"""From a problem to a question, and from a free answer to a program: pure text, nothing is run."""

import ast
import re

from app.domain.prompt import Message
from training.forgetting.problems import Problem

_FENCED = re.compile(r"```[ \t]*\w*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)


def render_question(problem: Problem) -> tuple[Message, ...]:
    """As a person would ask a chat model; the same for base and adapter."""
    shown = f"\n```python\n{problem.header.strip()}\n```" if problem.header else ""
    text = f"{problem.task} Answer with the whole function in one Python code block.{shown}"
    return (Message(role="user", content=text),)


def extract_program(problem: Problem, answer: str) -> str:
    """The program an answer stands for, under the problem's header, so that its imports and helpers are there.

    Taken, in this order: the first code block that defines the function, then the answer itself where it does, then
    either as the function's body. What follows the last whole statement is dropped, for an answer may be cut by its
    limit. An answer that is none of these is a program that fails.
    """
    blocks = [match.group(1) for match in _FENCED.finditer(answer)]
    for text in (*blocks, answer):
        whole = _longest_whole(text)
        if _defines(whole, problem.entry):
            return f"{problem.header}\n{whole}"
    for text in (*blocks, answer):
        body = _longest_whole(f"{problem.header}{_indent(text)}")
        if problem.header and len(body) > len(problem.header.rstrip()):
            return body
    return f"{problem.header}\n{answer}"


def _longest_whole(text: str) -> str:
    """The most lines from the start that are Python. "" when none are."""
    lines = text.splitlines()
    for count in range(len(lines), 0, -1):
        kept = "\n".join(lines[:count])
        try:
            ast.parse(kept)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue  # one line fewer is the next try
        return kept
    return ""


def _defines(text: str, name: str) -> bool:
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name for node in ast.parse(text).body
    )


def _indent(text: str) -> str:
    """A body as the header wants it: one step in, however the answer had it."""
    lines = text.strip("\n").splitlines()
    if not lines or lines[0].startswith((" ", "\t")):
        return "\n".join(lines)
    return "\n".join(f"    {line}" for line in lines)
