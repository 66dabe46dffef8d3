"""The two repositories as they begin, and where a pull request puts its functions."""

from collections.abc import Sequence
from random import Random

from app.rehearsal.organisation.code import Draft, Lines, SourceFile, write_draft
from app.rehearsal.organisation.drafts import Insertion, Workspace
from app.rehearsal.organisation.rules import HOUSE_RULES, NEUTRAL, RULES_BY_ID, Shape
from app.rehearsal.organisation.vocabulary import Era

OWNER = "tidewater-freight"
#: repository → path → what the module is for
MODULES: dict[str, dict[str, str]] = {
    f"{OWNER}/harbor-booking": {
        "booking/arrivals.py": "Ships that come in.",
        "booking/berths.py": "Who lies where, and for how long.",
        "booking/gates.py": "The gates, and what passes them.",
        "booking/notices.py": "What agents and ports are told.",
        "booking/quotes.py": "Offers before a booking is made.",
        "booking/yard.py": "Where things stand on land.",
    },
    f"{OWNER}/freight-ledger": {
        "freight/customs.py": "Papers for the customs office.",
        "freight/feeds.py": "What other systems send us.",
        "freight/invoices.py": "What is owed, and by whom.",
        "freight/refunds.py": "Money on its way back.",
        "freight/settlements.py": "Closing the books.",
        "freight/tolls.py": "Fees of ports and canals.",
    },
}
#: Old functions between two new ones, so that git shows them in hunks of their own.
SPACING = 2
#: Characters of the longest line.
_WIDTH = 90
#: Clean functions that a pull request puts into a module of their own.
_CALM = 2
_CLARITIES = (
    "The planner calls this.",
    "See the handbook.",
    "Kept short on purpose.",
    "The desk relies on the order.",
    "Used by the night shift.",
)


class ShapeDeck:
    """Deals the shapes of a rule in turn, so that each of them is broken, and kept, about as often as the others."""

    def __init__(self) -> None:
        self._cards: dict[tuple[str | None, Era, bool], list[Shape]] = {}

    def deal(self, rng: Random, rule: str | None, era: Era, *, broken: bool) -> Shape:
        """The next shape. Held-out code takes those nobody saw, and those that new words turn into lines nobody saw."""
        cards = self._cards.setdefault((rule, era, broken), [])
        if not cards:
            shapes = NEUTRAL if rule is None else RULES_BY_ID[rule].shapes
            cards += [
                shape for shape in shapes if (shape.unseen or shape.renewable if era == "unseen" else not shape.unseen)
            ]
            rng.shuffle(cards)
        return cards.pop()


def write_modules(
    rng: Random, repository: str, deck: ShapeDeck, taken: set[str], per_module: int
) -> dict[str, SourceFile]:
    """The modules of a repository at its first commit: clean, and touching every rule."""
    cards: list[str | None] = [*(rule.id for rule in HOUSE_RULES), None, None]
    modules = {}
    for path, purpose in MODULES[repository].items():
        shapes = [(deck.deal(rng, rule, "known", broken=False), rule) for rule in rng.sample(cards, per_module)]
        functions = tuple(write_draft(rng, "known", shape, rule, taken).right for shape, rule in shapes)
        modules[path] = SourceFile(path=path, purpose=purpose, functions=functions)
    return modules


def place_drafts(rng: Random, modules: dict[str, SourceFile], drafts: Sequence[tuple[Draft, bool]]) -> Workspace:
    """Spread drafts (with whether they break their rule) over three modules, well apart from each other.

    The third one gets clean functions only: what is said there and ignored is later seen in a file nobody touched.
    """
    paths = rng.sample(sorted(modules), 3)
    seats = [(path, gap) for path in paths for gap in _gaps(rng, len(modules[path].functions))]
    rng.shuffle(seats)
    clean, broken = ([draft for draft, is_broken in drafts if is_broken is kind] for kind in (False, True))
    calm = [seat for seat in seats if seat[0] == paths[2]]
    busy = [seat for seat in seats if seat[0] != paths[2]]
    insertions = [
        *_seat_all(modules, calm, clean[:_CALM], broken=False),
        *_seat_all(modules, busy, broken, broken=True),
        *_seat_all(modules, busy, clean[_CALM:], broken=False),
    ]
    rng.shuffle(insertions)
    touched = sorted({item.path for item in insertions})
    return Workspace(before={path: modules[path] for path in touched}, insertions=insertions)


def _gaps(rng: Random, functions: int) -> range:
    return range(rng.choice((SPACING, SPACING + 1)), functions + 1, SPACING)


def _seat_all(
    modules: dict[str, SourceFile], free: list[tuple[str, int]], drafts: Sequence[Draft], *, broken: bool
) -> list[Insertion]:
    """A seat out of `free` for every draft, never after a function that ends like it: a diff could begin a line too
    early there. Seats taken leave `free`.
    """
    insertions = []
    for draft in drafts:
        ends = (draft.right[-1], draft.wrong[-1])
        seat = next((seat for seat in free if modules[seat[0]].functions[seat[1] - 1][-1] not in ends), None)
        if seat is None:
            raise RuntimeError(f"{draft.name} does not fit into {sorted(modules)}; begin with larger modules")
        free.remove(seat)
        insertions.append(Insertion(path=seat[0], gap=seat[1], draft=draft, broken=broken))
    return insertions


def clarify_docstring(rng: Random, lines: Lines) -> Lines | None:
    """The function with one more sentence in its docstring, None where it has two already or no room."""
    docstring = lines[1].removesuffix('"""')
    if docstring.count(". ") or not docstring.endswith("."):
        return None
    clearer = f'{docstring} {rng.choice(_CLARITIES)}"""'
    return (lines[0], clearer, *lines[2:]) if len(clearer) <= _WIDTH else None
