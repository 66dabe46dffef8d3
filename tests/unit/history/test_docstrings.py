"""Docstrings and functions of each language, from sources that put them in awkward places."""

import time
from textwrap import dedent

import pytest

from app.history.docstrings import Documented, parse_docstrings
from app.history.languages import load_language, select_language


def read(language: str, source: str) -> dict[str, Documented]:
    found = parse_docstrings(dedent(source).encode(), load_language(language))
    return {function.name: function for function in found}


PYTHON = '''
"""The module's words are no function's."""

class Berth:
    """Nor are the class's."""

    @property
    async def free(self, ship="""not this one"""):
        # a note before it
        r"""Free the berth.

            Indented more.
        At the margin.
        """
        text = """nor this string"""

        def inner():
            'One line.'
            return text
        return inner

def bare():
    return "not at the start"

def formatted():
    f"""no {bare}"""

def cached():
    x = 1
    """a string in the middle"""

def one_line(): "Words beside the name."
'''


def test_python() -> None:
    found = read("python", PYTHON)
    assert {name: function.doc for name, function in found.items()} == {
        "Berth.free": "Free the berth.\n\n    Indented more.\nAt the margin.",
        "Berth.free.inner": "One line.",
    }
    assert found["Berth.free"].code.split("\n")[:4] == [
        "@property",
        'async def free(self, ship="""not this one"""):',
        "    # a note before it",
        '    text = """nor this string"""',
    ]
    assert found["Berth.free.inner"].code == "def inner():\n    return text"


JAVASCRIPT = """
/** A file's words. */

/**
 * Adds a berth.
 * @param {number} width metres
 * @author Ann
 */
export default function add(width) { return width; }

/** No function. */
const table = { one: 1 };

const port = {
  /** Frees all berths. */
  free: function () { return []; },
  /** Named method. */
  moor(ship) { return ship; },
};

/** Arrow words. */
export const arrow = async (ship) => { await ship; };

/** On the prototype. */
Port.prototype.leave = function (ship) { return ship; };

class Port {
  /** A field that is a function. */
  go = () => { return 1; };
  /** Gets the name. */
  get name() { return "x"; }
}

/* Not a doc comment. */
function plain() {}

/*** Nor this. */
function stars() {}
"""


def test_javascript() -> None:
    found = read("javascript", JAVASCRIPT)
    assert {name: function.doc for name, function in found.items()} == {
        "add": "Adds a berth.\n@param {number} width metres",
        "free": "Frees all berths.",
        "moor": "Named method.",
        "arrow": "Arrow words.",
        "Port.prototype.leave": "On the prototype.",
        "Port.go": "A field that is a function.",
        "Port.name": "Gets the name.",
    }
    assert found["add"].code == "export default function add(width) { return width; }"
    assert found["free"].code == "free: function () { return []; }"


TYPESCRIPT = """
export class Port {
  /** Moors a ship. */
  @logged()
  moor(ship: Ship): Berth { return find(ship); }

  /** Only declares. */
  abstract free(ship: Ship): void;
}
namespace Tides {
  /** High water. */
  export function high<T>(at: T): number { return 1; }
}
"""


@pytest.mark.parametrize("language", ["typescript", "tsx"])
def test_typescript(language: str) -> None:
    found = read(language, TYPESCRIPT)
    assert {name: function.doc for name, function in found.items()} == {
        "Port.moor": "Moors a ship.",
        "Tides.high": "High water.",
    }
    assert found["Port.moor"].code.endswith("moor(ship: Ship): Berth { return find(ship); }")


JAVA = """
/** Licence. */
package port;

/**
 * The class.
 */
public class Port {
    /** A field. */
    private int berths;

    /**
     * Makes a port.
     *
     * <p>With berths.
     * @author Ann
     * @since 1.2
     */
    Port(int berths) { this.berths = berths; }

    /** Frees a berth. */
    @Override
    public void free(Ship ship) {
        berths++;
    }

    /** Only declares. */
    abstract void leave();

    enum Tide { HIGH; /** Of an enum. */ int metres() { return 1; } }
}
"""


def test_java() -> None:
    found = read("java", JAVA)
    assert {name: function.doc for name, function in found.items()} == {
        "Port.Port": "Makes a port.\n\n<p>With berths.",
        "Port.free": "Frees a berth.",
    }
    assert found["Port.free"].code == "@Override\npublic void free(Ship ship) {\n    berths++;\n}"


GO = """
// Package port is described here.
package port

// Port is a type.
type Port[T any] struct{}

// Moor takes a ship
// and finds it a berth.
//
//nolint:gocyclo
func (p *Port[T]) Moor(s Ship) Berth { return p.find(s) }

// A note that stands alone.

// Free frees.
func Free() int { return 1 }

// Detached.

func detached() {}

var x = 1 // behind code
func beside() {}
"""


def test_go() -> None:
    found = read("go", GO)
    assert {name: function.doc for name, function in found.items()} == {
        "Port.Moor": "Moor takes a ship\nand finds it a berth.",
        "Free": "Free frees.",
    }
    assert found["Free"].code == "func Free() int { return 1 }"


def test_only_the_rows_asked_for_are_read() -> None:
    source = b'def one():\n    """First."""\n\ndef two():\n    """Second."""\n'
    assert [found.name for found in parse_docstrings(source, load_language("python"), [4, 900])] == ["two"]


def test_a_syntax_error_is_told_and_harms_no_neighbour() -> None:
    found = read("java", "class A {\n /** Broken. */\n void a() { int = ; }\n /** Whole. */\n void b() { x(); }\n}\n")
    assert {name: function.broken for name, function in found.items()} == {"A.a": True, "A.b": False}


def test_carriage_returns_leave_no_trace() -> None:
    found = read("python", 'def one():\r\n    """First.\r\n\r\n    More.\r\n    """\r\n    return 1\r\n')
    assert found["one"].doc == "First.\n\nMore."
    assert found["one"].code == "def one():\n    return 1"


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.py", "python"),
        ("x.TSX", "tsx"),
        ("x.mts", "typescript"),
        ("x.cjs", "javascript"),
        ("go", None),
        ("a.rs", None),
    ],
)
def test_languages_go_by_the_name(path: str, language: str | None) -> None:
    found = select_language(path)
    assert (None if found is None else found.name) == language


def test_credits_go_with_the_empty_lines_above_them() -> None:
    text = "/**\n * Moors.\n *\n * @author Ann\n *\n\n * @since 2\n * More.\n *\n * End.\n */"
    assert read("java", f"class A {{\n{text}\n void a() {{ }}\n}}\n")["A.a"].doc == "Moors.\nMore.\n\nEnd."


def test_empty_lines_without_end_cost_no_more_than_others() -> None:
    began = time.process_time()
    found = read("java", "class A {\n /** Moors.\n" + "\n" * 100_000 + " x */\n void a() { }\n}\n")
    assert found["A.a"].doc.startswith("Moors.")
    assert time.process_time() - began < 2


def test_a_name_tells_the_scopes_that_are_near_and_costs_no_more_where_they_nest_without_end() -> None:
    nested = "".join(f"/** Documents f{row}. */ function f{row}() {{\n" for row in range(60)) + "}" * 60
    names = list(read("javascript", nested))
    assert names[3] == "f0.f1.f2.f3"
    assert names[59] == "f53.f54.f55.f56.f57.f58.f59"
