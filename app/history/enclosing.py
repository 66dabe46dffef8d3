"""The functions and classes around a row of a file, from its syntax tree. Pure; for languages of `languages.py` only.

The tree is walked downwards with a cursor: asking a node for its parent costs its depth, and strangers choose that.
"""

from collections.abc import Collection, Mapping

from tree_sitter import Node, Parser, Tree, TreeCursor

from app.domain.scopes import Scope
from app.history.languages import load_parser, select_language

#: Bytes of a file that is parsed; a longer one is no place for a person to look around in.
LARGEST_SOURCE = 200_000
#: Steps down a tree; code that people write is not a tenth as deep.
_DEEPEST = 2_000
_FUNCTIONS = frozenset(
    {
        "arrow_function",
        "compact_constructor_declaration",
        "constructor_declaration",
        "func_literal",
        "function_declaration",
        "function_definition",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "lambda_expression",
        "method_declaration",
        "method_definition",
    }
)
_CLASSES = frozenset(
    {
        "abstract_class_declaration",
        "class",
        "class_declaration",
        "class_definition",
        "enum_declaration",
        "interface_declaration",
        "internal_module",
        "record_declaration",
        "type_declaration",
    }
)
_PYTHON = frozenset({"function_definition", "class_definition"})
_OUTER = frozenset({"decorated_definition", "export_statement", "lexical_declaration", "variable_declaration"})


def find_scopes(path: str, source: str, rows: Collection[int]) -> Mapping[int, tuple[Scope, ...]] | None:
    """Row (from 0) → the scopes around it, outermost first; `()` for code at the top.

    None when the language is one we read and the file can't be: too large, or with an error right there. A file in
    another language has no scopes.
    """
    language = select_language(path)
    if language is None:
        return dict.fromkeys(rows, ())
    content = source.encode(errors="replace")
    if len(content) > LARGEST_SOURCE:
        return None
    # A parser of its own: the one that is kept may not be used by two threads at once.
    tree = Parser(load_parser(language.name).language).parse(content)
    lines = content.split(b"\n")
    found = {row: _scopes_at(tree, lines, row) for row in rows if row < len(lines)}
    whole = {row: scopes for row, scopes in found.items() if scopes is not None}
    return whole if len(whole) == len(rows) else None


def _scopes_at(tree: Tree, lines: list[bytes], row: int) -> tuple[Scope, ...] | None:
    column = len(lines[row]) - len(lines[row].lstrip())
    at = sum(len(line) + 1 for line in lines[:row]) + column
    cursor, scopes = tree.walk(), list[Scope]()
    outer: int | None = None
    for _ in range(_DEEPEST):
        node = cursor.node
        if node is None or node.is_error:
            return None
        if node.type in _FUNCTIONS or node.type in _CLASSES:
            scope = _scope(node, node.start_point.row if outer is None else outer)
            if scope.first < scope.last:
                scopes.append(scope)
        outer = (node.start_point.row if outer is None else outer) if node.type in _OUTER else None
        if not _descend(cursor, at):
            return tuple(scopes)
    return None


def _descend(cursor: TreeCursor, at: int) -> bool:
    """To the child that the byte lies in; False when it lies in none."""
    if cursor.goto_first_child_for_byte(at) is None:
        return False
    node = cursor.node
    return node is not None and node.start_byte <= at < node.end_byte


def _scope(node: Node, first: int) -> Scope:
    body = node.child_by_field_name("body")
    opens = node.start_point.row if body is None else body.start_point.row
    # A body in braces begins on the signature's last row, one of Python's on the row below it.
    head = opens - 1 if node.type in _PYTHON and opens > node.start_point.row else opens
    return Scope(first=first, head=max(first, head), last=node.end_point.row, is_function=node.type in _FUNCTIONS)
