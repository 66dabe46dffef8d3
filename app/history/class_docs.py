"""What stands at classes and at Python modules as documentation, from the syntax tree of a file. Pure.

Those of functions are read by app/history/docstrings.py, which training learns from too; these are for retrieval only.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from app.history.docstrings import is_right_above, read_words
from app.history.languages import Language, Style, load_parser

_CLASSES = frozenset(
    {
        "abstract_class_declaration",
        "annotation_type_declaration",
        "class_declaration",
        "class_definition",
        "enum_declaration",
        "interface_declaration",
        "record_declaration",
        "type_declaration",
    }
)
#: Below these, nothing that documents a class is looked for: most of a file is inside its functions.
_LEAVES = frozenset({"comment", "line_comment", "block_comment", "string", "import_statement", "import_declaration"})
#: Classes within classes that are followed; deeper ones are machines' work.
_DEEPEST = 12


class ClassDoc(NamedTuple):
    """`name` is empty for a module; `row` counts from 0 and is the documentation's first."""

    name: str
    row: int
    doc: str


def parse_class_docs(source: bytes, language: Language) -> Iterator[ClassDoc]:
    """In the order of the file.

    Raises:
        UnicodeDecodeError: when the file is no UTF-8.
    """
    source.decode()
    root = load_parser(language.name).parse(source).root_node
    if language.style is Style.FIRST_STRING:
        first = _first_string(root)
        yield from () if first is None else (ClassDoc("", first.start_point.row, _read([first])),)
    waiting: list[tuple[Node, int]] = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if node.type in _CLASSES:
            docs = _docs(node, language.style)
            if docs:
                yield ClassDoc(_name(node), docs[0].start_point.row, _read(docs))
        if depth < _DEEPEST and node.type not in _LEAVES:
            waiting += [(child, depth + 1) for child in reversed(node.named_children)]


def _docs(node: Node, style: Style) -> list[Node]:
    if style is Style.FIRST_STRING:
        body = node.child_by_field_name("body")
        first = None if body is None else _first_string(body)
        return [] if first is None else [first]
    holder = node.parent if node.parent is not None and node.parent.type == "export_statement" else node
    above = holder.prev_named_sibling
    if style is Style.BLOCK_COMMENT:
        told = above is not None and "comment" in above.type and (above.text or b"").startswith(b"/**")
        return [above] if above is not None and told else []
    docs: list[Node] = []
    lower: Node = holder
    while above is not None and is_right_above(above, lower):
        docs.insert(0, above)
        lower, above = above, above.prev_named_sibling
    return docs


def _first_string(body: Node) -> Node | None:
    first = next((child for child in body.named_children if child.type != "comment"), None)
    if first is None or first.type != "expression_statement" or not first.named_children:
        return None
    return first if first.named_children[0].type == "string" else None


def _read(docs: list[Node]) -> str:
    return read_words([(doc.text or b"").decode() for doc in docs])


def _name(node: Node) -> str:
    found = node.child_by_field_name("name")
    if found is None:  # Go: the name is the specification's
        inner = (child.child_by_field_name("name") for child in node.named_children)
        found = next((name for name in inner if name is not None), None)
    return (found.text or b"").decode() if found is not None else ""
