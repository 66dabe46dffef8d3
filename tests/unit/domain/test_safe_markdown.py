"""What a model wrote can't load, link, notify or hide anything once rendered."""

import html
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.domain.safe_markdown import render_safe_markdown

PIECES = st.sampled_from(
    ["![x](https://e.vil/a.png)", "[a](javascript:1)", "<img src=x>", "<!-- hidden -->", "@org/team", "@ada", "#12",
     "o/r#3", "https://e.vil/?q=1", "www.e.vil", "<https://e.vil>", "`code`", "```\n", "```suggestion\nx\n```", "\n",
     "[ref]: http://e.vil", "[ref]", "\u202e", "\u200b", "&lt;b&gt;", "\\", "](", "![", "mailto:a@b.c", "word ", "|",
     "|---|\n"]
)  # fmt: skip


def _tokens(text: str) -> list[str]:
    parsed = MarkdownIt("commonmark").enable("table").parse(text)
    return [token.type for block in parsed for token in [block, *(block.children or [])]]


@settings(max_examples=400)
@given(st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=14).map("".join))
@example("![x](https://e.vil/a.png)```\n![x](https://e.vil/a.png)`code````suggestion\nx\n```")
@example("```\n```suggestion\nx\n```")
@example("\\`![x](https://e.vil/a.png)`")
@example("|a|\n|---|\n|`![x](https://e.vil/a.png)|`|")
def test_no_image_link_html_mention_or_suggestion_survives(text: str) -> None:
    safe = render_safe_markdown(text)
    assert not {"image", "link_open", "html_inline", "html_block"}.intersection(_tokens(safe))
    outside_code = re.sub(r"`[^`\n]+`", " ", safe)
    assert not re.search(r"[@#]\w", html.unescape(outside_code))
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
    ],
)
def test_whole_messages(text: str, safe: str) -> None:
    assert render_safe_markdown(text) == safe
