"""Links, blocks of commands and pictures of the site, as pure functions."""

import xml.etree.ElementTree as ET

import pytest

from docs.website.blocks import read_blocks, show_proofs
from docs.website.lines import show_told
from docs.website.links import Kind, mend_links
from docs.website.pictures import render_pictures

PLACES = {"docs/privacy.md": "privacy.md", "ARCHITECTURE.md": "architecture.md", "docs/adr/README.md": "adr/README.md"}
THERE: dict[str, Kind] = {"app.yml": "file", "infra/runners": "folder"}


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("[a](../privacy.md#what)", "[a](../privacy.md#what)"),
        ("[the\nmap](../../ARCHITECTURE.md)", "[the\nmap](../architecture.md)"),
        ("[reasons](../adr)", "[reasons](README.md)"),
        ("[list](../../app.yml)", "[list](../files/app.yml)"),
        ("[templates](../../infra/runners)", "templates"),
        ("[lost](nowhere.md)", "[lost](nowhere.md)"),
        ("[far](https://example.org/a) [near](#here)", "[far](https://example.org/a) [near](#here)"),
        ("```\n[a](privacy.md)\n```\n", "```\n[a](privacy.md)\n```\n"),
    ],
)
def test_a_link_leads_where_it_led(text: str, mended: str) -> None:
    page = "docs/adr/0001-x.md"
    done = mend_links(text, source=page, name=page.removeprefix("docs/"), places=PLACES, kind=THERE.get)
    assert done.text == mended
    assert done.files == (frozenset({"app.yml"}) if "app.yml" in text else frozenset())


def test_marked_blocks_are_read_with_what_runs_them() -> None:
    page = (
        "```sh run=install\nmake install\n```\n\n```sh run=erase\none \\\n  two\n# not this\n```\n\n"
        "```sh needs=gpu,github\nthree\n```\n\n```sh\nunmarked\n```\n\n```yaml\nrun: 1\n```\n"
    )
    first, second, third = read_blocks(page)
    assert (first.by, first.needs, first.commands) == ("install", (), ["make install"])
    assert (second.by, second.commands) == ("erase", ["one    two"])
    assert (third.by, third.needs, third.commands) == ("", ("gpu", "github"), ["three"])
    shown = show_proofs(page, {"erase": "tests/test_it.py", "install": "tests/test_that.py"})
    assert "Run as it stands by <code>tests/test_it.py</code>." in shown
    assert "Run as it stands by <code>tests/test_that.py</code>." in shown
    assert "Checked by the tests, not run: needs a GPU and GitHub." in shown


def test_indented_commands_are_shown_with_what_runs_them() -> None:
    page = "Type\n\n    python -m app trace X\n    make lock\n\nor\n## Now\n    make demo\n\n    /understudy why\n"
    shown = show_told(page)
    assert shown.count('<p class="proof ran">Run by <code>tests/') == 1
    assert shown.count('<p class="proof">Checked, not run: ') == 2
    assert "    make lock\n\n<p" in shown
    fenced = "```yaml\n\n    make demo\n```\n"
    assert show_told(fenced) == fenced


def test_every_picture_is_a_picture_with_a_title_and_both_colours() -> None:
    for name, drawn in render_pictures().items():
        picture = ET.fromstring(drawn)  # noqa: S314  our own
        assert picture.find("{http://www.w3.org/2000/svg}title") is not None, name
        assert "prefers-color-scheme:dark" in drawn
        assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
