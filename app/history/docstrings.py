"""Docstrings and their functions, from the syntax tree of a file. Pure.

Read: docstrings of Python, JSDoc, Javadoc, Go's doc comments, each directly at a function or method with a body.
Not read: those of classes, modules and packages, and of functions that only declare.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from inspect import cleandoc
from textwrap import dedent
from typing import NamedTuple

from tree_sitter import Node

from app.history.languages import Language, Style, load_parser
from app.history.windows import may_open_body, select_windows

_FUNCTIONS = frozenset(
    {
        "arrow_function",
        "constructor_declaration",
        "function_declaration",
        "function_definition",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "method_declaration",
        "method_definition",
    }
)
#: Nodes around a function, each with the field that leads to it.
_WRAPPERS = {
    "assignment_expression": "right",
    "decorated_definition": "definition",
    "field_definition": "value",
    "pair": "value",
    "public_field_definition": "value",
    "variable_declarator": "value",
}
_OUTER_WRAPPERS = frozenset({"export_statement", "expression_statement", "lexical_declaration", "variable_declaration"})
_NAMED_SCOPES = frozenset({"class", "namespace", "interface", "enum", "record", "object", "module", "internal"})
#: Lines of Javadoc and JSDoc that name people or versions, not what the function does.
_CREDITS = re.compile(r"@(author|since|version|copyright)\b")
_STRING = re.compile(r"""^[rRuU]?("{3}|'{3}|"|')(.*)\1$""", re.DOTALL)
#: Go's instructions to tools stand in comments as well.
_DIRECTIVE = re.compile(r"^//(go:|nolint|export |line |#)")
#: Nodes above a function that may name it: asking each for its parent costs its depth, and strangers choose that. Of
#: 18,954 documented functions of Debian's and PyPI's packages, no name came from farther up.
_MOST_PARENTS = 12


class Documented(NamedTuple):
    """`code` is the function without its docstring, from the margin; `row` counts from 0; `broken`: a syntax error."""

    name: str
    row: int
    doc: str
    code: str
    broken: bool


class _Place(NamedTuple):
    """The nodes of a docstring, the whole statement that the function is, and the function itself."""

    docs: tuple[Node, ...]
    statement: Node
    function: Node


def parse_docstrings(source: bytes, language: Language, rows: Collection[int] | None = None) -> Iterator[Documented]:
    """The documented functions of a file, or only those whose docstring opens on one of the rows.

    Raises:
        UnicodeDecodeError: when the file is no UTF-8.
    """
    source.decode()
    lines = source.split(b"\n")
    asked = range(len(lines)) if rows is None else sorted(row for row in rows if row < len(lines))
    opening = [row for row in asked if language.opens.match(lines[row])]
    if rows is not None and language.style is Style.FIRST_STRING:
        opening = [row for row in opening if may_open_body(lines, row)]
        found = _read_windows(lines, language, opening)
        if found is not None:
            yield from found
            return
    if opening:
        root = load_parser(language.name).parse(source).root_node
        yield from _read_rows(root, lines, language.style, opening)


def _read_windows(lines: list[bytes], language: Language, opening: Sequence[int]) -> list[Documented] | None:
    """Of the parts of the file around the rows; None when the whole file must be parsed to tell."""
    windows = select_windows(lines, opening)
    found = []
    for window, inside in () if windows is None else windows.items():
        part = lines[window.start : window.stop]
        root = load_parser(language.name).parse(b"\n".join(part)).root_node
        if root.has_error:
            return None
        told = _read_rows(root, part, language.style, [row - window.start for row in inside])
        found += [function._replace(row=window.start + function.row) for function in told]
    return None if windows is None else found


def _read_rows(root: Node, lines: list[bytes], style: Style, opening: Iterable[int]) -> Iterator[Documented]:
    for row in opening:
        column = len(lines[row]) - len(lines[row].lstrip(b" \t"))
        node = root.named_descendant_for_point_range((row, column), (row, column + 1))
        place = node and _find_place(node, style, (row, column))
        if place:
            yield _read(place, lines, row)


def _find_place(node: Node, style: Style, point: tuple[int, int]) -> _Place | None:
    if style is Style.FIRST_STRING:
        return _first_string(node, point)
    if style is Style.LINE_COMMENTS:
        return _line_comments(node)
    return _block_comment(node, point)


def _first_string(node: Node, point: tuple[int, int]) -> _Place | None:
    string = node if node.type == "string" else node.parent
    if string is None or string.type != "string" or string.start_point != point:
        return None
    expression = string.parent
    body = None if expression is None else expression.parent
    function = None if body is None else body.parent
    if expression is None or body is None or function is None or function.type != "function_definition":
        return None
    first = next((child for child in body.named_children if child.type != "comment"), None)
    if expression.type != "expression_statement" or first != expression:
        return None
    outer = function.parent
    decorated = outer is not None and outer.type == "decorated_definition"
    return _Place((expression,), outer if decorated and outer is not None else function, function)


def _block_comment(node: Node, point: tuple[int, int]) -> _Place | None:
    if "comment" not in node.type or node.start_point != point:
        return None
    following = node.next_named_sibling
    while following is not None and following.type == "decorator":  # of a TypeScript method: beside it, not in it
        following = following.next_named_sibling
    if following is None:
        return None
    function = _unwrap(following)
    return None if function is None else _Place((node,), following, function)


def _line_comments(node: Node) -> _Place | None:
    if node.type != "comment" or is_right_above(node.prev_named_sibling, node):
        return None
    docs, last = [node], node
    while (following := last.next_named_sibling) is not None and is_right_above(last, following):
        if following.type != "comment":
            function = _unwrap(following)
            return None if function is None else _Place(tuple(docs), following, function)
        docs.append(following)
        last = following
    return None


def is_right_above(upper: Node | None, lower: Node) -> bool:
    """A comment that ends right above the other node, not behind code."""
    return (
        upper is not None
        and upper.type == "comment"
        and upper.start_point.column == 0
        and upper.end_point.row + 1 == lower.start_point.row
    )


def _unwrap(node: Node) -> Node | None:
    """The one function that a statement is about, None when it is about something else or has no body."""
    inner: Node | None = node
    while inner is not None and inner.type not in _FUNCTIONS:
        if inner.type in _OUTER_WRAPPERS:
            inner = next((child for child in inner.named_children if child.type not in ("comment", "decorator")), None)
        else:
            inner = inner.child_by_field_name(_WRAPPERS[inner.type]) if inner.type in _WRAPPERS else None
    return inner if inner is not None and inner.child_by_field_name("body") is not None else None


def _read(place: _Place, lines: list[bytes], row: int) -> Documented:
    first, (last, end) = place.statement.start_point.row, place.statement.end_point
    lines = [*lines[:last], lines[last][:end]]  # a comma may follow
    skipped = {line for doc in place.docs for line in range(doc.start_point.row, doc.end_point.row + 1)} - {
        place.function.start_point.row
    }
    code = b"\n".join(lines[line] for line in range(first, last + 1) if line not in skipped)
    return Documented(
        name=_qualified_name(place),
        row=row,
        doc=read_words([(doc.text or b"").decode() for doc in place.docs]),
        code=dedent(code.decode().replace("\r", "")).strip("\n"),
        broken=place.function.has_error,
    )


def read_words(docs: list[str]) -> str:
    """What is written, without the marks that make it a docstring."""
    if docs[0].startswith("//"):
        told = [doc.rstrip("\r") for doc in docs if not _DIRECTIVE.match(doc)]
        return "\n".join(doc.removeprefix("//").removeprefix(" ").rstrip() for doc in told).strip()
    if docs[0].startswith("/*"):
        inner = docs[0].removeprefix("/**").removesuffix("*/").replace("\r", "")
        lines = [re.sub(r"^\s*\*+ ?", "", line).rstrip() for line in inner.split("\n")]
        return "\n".join(_without_credits(lines)).strip()
    string = _STRING.match(docs[0].replace("\r", "").rstrip("; "))
    return "" if string is None else cleandoc(string[2]).strip()


def _without_credits(lines: list[str]) -> list[str]:
    """Nor the empty lines above them. In one pass, for strangers choose how many there are of either."""
    kept: list[str] = []
    for line in lines:
        if not _CREDITS.match(line.lstrip()):
            kept.append(line)
            continue
        while kept and not kept[-1].strip():
            kept.pop()
    return kept


def _qualified_name(place: _Place) -> str:
    names = [_own_name(place)]
    node = place.statement.parent
    for _ in range(_MOST_PARENTS):
        if node is None:
            break
        scope = node.child_by_field_name("name")
        if scope is not None and node.type.split("_")[0] in (*_NAMED_SCOPES, "function") and scope.text:
            names.append(scope.text.decode())
        node = node.parent
    return ".".join(reversed(names))


def _own_name(place: _Place) -> str:
    """The function's name; a Go method's with its receiver's; else that of what it is assigned to."""
    name = place.function.child_by_field_name("name")
    receiver = place.function.child_by_field_name("receiver")
    if name is not None and name.text:
        before = "" if receiver is None else _receiver_type(receiver)
        return f"{before}{name.text.decode()}"
    holder = place.function.parent
    while holder is not None and holder != place.statement.parent:
        for field in ("name", "property", "left", "key"):
            named = holder.child_by_field_name(field)
            if named is not None and named.text:
                return named.text.decode()
        holder = holder.parent
    return "default"


def _receiver_type(receiver: Node) -> str:
    """`(p *Pool[T])` → `Pool.`"""
    declared = re.sub(r"\[.*", "", (receiver.text or b"").decode().strip("()"))
    words = declared.replace("*", " ").split()
    return f"{words[-1]}." if words else ""
