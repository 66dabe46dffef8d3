"""What a model wrote can't load, link, notify or hide anything once rendered."""

import html
import re

import cmarkgfm
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.domain.safe_markdown import render_safe_markdown

PIECES = st.sampled_from(
    ["![x](https://e.vil/a.png)", "[a](javascript:1)", "<img src=x>", "<!-- hidden -->", "@org/team", "@ada", "#12",
     "o/r#3", "https://e.vil/?q=1", "www.e.vil", "<https://e.vil>", "`code`", "```\n", "```suggestion\nx\n```", "\n",
     "[ref]: http://e.vil", "[ref]", "\u202e", "\u200b", "&lt;b&gt;", "\\", "](", "![", "mailto:a@b.c", "word ", "|",
     "|---|\n", "\n:-\n", "\n-\n", "\n- ", "\n  ", "Note", "_", "1", "GH-12", "$",
     "`![x](https://e.vil/l) | y`", "`@ada | #1`"]
)  # fmt: skip


def _tokens(text: str) -> list[str]:
    parsed = MarkdownIt("commonmark").enable("table").parse(text)
    return [token.type for block in parsed for token in [block, *(block.children or [])]]


def _linked(safe: str) -> str:
    """GitHub's own renderer's HTML, without what it shows as code."""
    return re.sub(r"<code>.*?</code>", " ", cmarkgfm.github_flavored_markdown_to_html(safe), flags=re.DOTALL)


@settings(max_examples=600)
@given(st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=14).map("".join))
@example("![x](https://e.vil/a.png)```\n![x](https://e.vil/a.png)`code````suggestion\nx\n```")
@example("```\n```suggestion\nx\n```")
@example("\\`![x](https://e.vil/a.png)`")
@example("|a|\n|---|\n|`![x](https://e.vil/a.png)|`|")
@example("Note\n:-\n`![x](https://e.vil/leak)` with | y`")
@example("- Note\n  -:\n  `@ada #1 GH-2 | https://e.vil`")
def test_no_image_link_html_mention_or_suggestion_survives(text: str) -> None:
    safe = render_safe_markdown(text)
    assert not {"image", "link_open", "html_inline", "html_block"}.intersection(_tokens(safe))
    outside_code = re.sub(r"`[^`\n]+`", " ", safe)
    assert not re.search(r"[@#]\w|gh-\d", html.unescape(outside_code), re.IGNORECASE)
    assert not re.search("<(a|img|table) |<table>", _linked(safe))
    assert not re.search(r"[@#]\w|gh-\d", html.unescape(_linked(safe)), re.IGNORECASE)
    assert "```suggestion" not in safe
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\U000e0000-\U000e007f]", safe)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Use `Cents.of(x)` here.", "Use `Cents.of(x)` here."),
        ("Ask @ada about #12.", "Ask @&#8203;ada about #&#8203;12."),
        ("See [docs](https://x.y).", "See docs."),
        ("![x](https://e.vil/?s=1)done", "xdone"),
        ("a < b", "a &lt; b"),
        ("See _https://e.vil/?leak=1", "See _(link removed)"),
        ("1https://e.vil éhttps://e.vil _www.e.vil", "1(link removed) é(link removed) _(link removed)"),
        ("www.<https://e.vil>", "(link removed)&lt;(link removed)&gt;"),
        ("- ~~~suggestion\nx\n~~~", "-  suggestion\nx"),
        ("a\ufe01b\ufe0f\ufe0f \u115f\u1160\u3164\uffa0c \u2764\ufe0f\ufe0f\U000e0101", "ab c \u2764\ufe0f"),
        ("As in GH-12.", "As in GH-&#8203;12."),
        ("Note\n :-: \n`a | b`", "Note\n \\:-: \n`a | b`"),
        ("- `one`\n- `two`", "- `one`\n- `two`"),
        ("$`\\href{x}{y}`$", "$&#8203;`\\href{x}{y}`&#8203;$"),
    ],
)
def test_whole_messages(text: str, safe: str) -> None:
    assert render_safe_markdown(text) == safe
