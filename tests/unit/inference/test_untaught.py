"""Without anything learned, one line of each file is asked about and no comment is held back."""

from app.domain.lines import LineSite
from app.inference.untaught import UntaughtFilter, UntaughtLocator


def site(path: str, line: int, text: str) -> LineSite:
    return LineSite(path=path, line=line, text=text, previous="", above="", below="")


def test_the_longest_line_of_each_file_is_chosen() -> None:
    locator = UntaughtLocator()
    sites = [
        site("a", 1, "x"),
        site("b", 1, "same"),
        site("a", 2, "longest"),
        site("b", 2, "same"),
        site("a", 3, "mid"),
    ]
    scores = locator.score(sites)
    assert [score >= locator.threshold for score in scores] == [False, True, True, False, False]
    assert locator.score([]) == []


def test_every_comment_passes() -> None:
    assert UntaughtFilter().score("x", "words") >= UntaughtFilter.threshold
