"""The report's figures, and a page that shows them, nothing else, and runs nothing."""

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from app.dataset.folder import Assembled, hash_bytes, write_folder
from app.dataset.grouping import group_by_words, pick_diverse
from app.dataset.report import LEAKED_NLL, DatasetReport, Material, render_figures
from app.dataset.report_page import render_page
from app.dataset.report_rows import find_contradictions, read_example, read_snapshot, read_written
from app.dataset.reporting import load_snapshot_material
from app.domain.adapters import BaseCheckpoint
from app.domain.errors import UserError
from app.domain.evals import EvalReport
from app.domain.examples import Evidence, Example, Rejection
from app.domain.readable import readable
from tests.unit.dataset.exported import NOW, a_snapshot, examples, put_together
from tests.unit.dataset.test_rows import a_clean_hunk, an_example
from tests.unit.dataset.test_written import a_written

HOSTILE = (
    "<script>alert(1)</script> ![x](https://evil.test/p.png) <img src=https://evil.test/q onerror=alert(2)>"
    " [go](javascript:alert(3)) \"'> </pre></body> {{ 7*7 }} & \u202egnp.exe \x00\x1b[31m"
)


def a_rejection(number: int, reason: str = "praise", detail: str = "it only praises") -> Rejection:
    return Rejection(
        host="h",
        repository_id=1,
        repository="acme/store",
        pull_request=number,
        comment_id=number,
        path="f.py",
        line=3,
        side="RIGHT",
        evidence=Evidence.UNKNOWN,
        reason=reason,
        detail=detail,
    )


def material(found: list[Example], **more: Any) -> Material:
    return Material(title="T", source="S", rows=[read_example(one, None) for one in found], created_at=NOW, **more)


def bars(report: DatasetReport, key: str) -> dict[str, int]:
    (chart,) = [chart for chart in report.charts if chart.key == key]
    return {bar.name: bar.count for bar in chart.bars}


def test_counts_of_a_snapshot_are_those_of_its_rows(tmp_path: Path) -> None:
    manifest = a_snapshot(tmp_path / "s")
    report = render_figures(load_snapshot_material(tmp_path / "s", evaluation=None, now=NOW))
    assert report.rows == 10 + 10 + 5
    assert bars(report, "kind") == {"review_comment": 10, "clean_hunk": 10, "commit": 5}
    comments = sum(count for name, count in manifest.counts.items() if name.startswith("comments"))
    assert (report.good, report.heldout) == (comments, 2)
    assert bars(report, "part") == {"train": 8 + 8 + 5, "heldout": 4}
    assert bars(report, "evidence") == {"suggestion_applied": 3, "line": 4, "near": 3}
    assert bars(report, "reviewer") == {"mara": 10}
    assert bars(report, "author") == {"dev": 5}
    assert bars(report, "month") == {"2026-01": 25}
    assert bars(report, "size") == {"1–4": 5, "5–9": 20}
    assert sum(bars(report, "rule").values()) == 15
    assert not report.refused_known
    assert "one_reviewer" in {fired.rule for fired in report.advice.fired}


def test_the_store_knows_decisions_and_what_was_refused() -> None:
    rows = [read_example(one, "approve") for one in examples()] + [read_written(a_written(), None)]
    refused = [a_rejection(number) for number in range(5)] + [a_rejection(9, "bot", "a bot wrote it")]
    report = render_figures(Material(title="T", source="S", rows=rows, created_at=NOW, rejections=refused))
    assert bars(report, "decision") == {"approve": 20, "none": 1}
    assert [(kind.reason, kind.count, len(kind.shown)) for kind in report.refused] == [("praise", 5, 3), ("bot", 1, 1)]
    assert report.refused[0].shown[0].where == "acme/store #0 f.py:3"
    assert bars(report, "part") == {"not split yet": 21}
    assert "heldout" not in {fired.rule for fired in report.advice.fired}


def test_repeated_words_are_counted_once_less_than_they_are_said() -> None:
    report = render_figures(material(examples(["Never print.", "never  PRINT.", "Use the logger.", "Never print."])))
    assert (report.repeated_rows, [(group.text, group.count) for group in report.repeated]) == (
        2,
        [("Never print.", 3)],
    )


def test_one_question_with_two_answers_is_a_contradiction_of_the_store() -> None:
    one, other = an_example(body="Use a logger.", comment_id=1), an_example(body="Print is fine here.", comment_id=2)
    (pair,) = find_contradictions([one, other, an_example(body="Use a logger.", comment_id=3)])
    assert (pair.kept, pair.dropped) == ("Use a logger.", "Print is fine here.")
    report = render_figures(material([one, other], contradictions=[pair], contradictions_open=True))
    assert report.contradictions == 1
    assert "contradictions" in {fired.rule for fired in report.advice.fired}


def test_the_pairs_that_a_snapshot_settled_are_shown_and_not_open(tmp_path: Path) -> None:
    assembled = put_together(examples())
    line = json.dumps({"kept": "New words", "dropped": {"text": "Old"}, "prompt": "Which?"}).encode() + b"\n"
    files = {**assembled.files, "contradictions.jsonl": line}
    hashes = {name: hash_bytes(content) for name, content in files.items()}
    manifest = assembled.manifest.model_copy(update={"files": hashes})
    write_folder(Assembled(files=files, manifest=manifest), tmp_path / "s")
    report = render_figures(load_snapshot_material(tmp_path / "s", evaluation=None, now=NOW))
    assert report.contradictions_shown[0].kept == "New words"
    assert report.contradictions_shown[0].dropped == '{"text":"Old"}'
    assert "contradictions" not in {fired.rule for fired in report.advice.fired}


def an_evaluation(rows: list[str], losses: list[float]) -> EvalReport:
    return EvalReport(
        suite="su1:x",
        prompt_version="p2",
        base=BaseCheckpoint(name="b", revision="r", weights_hash="w", tokenizer_hash="t", template_hash="c"),
        adapter=None,
        precision="bfloat16",
        arms={},
        rows=tuple(rows),
        paired={"base": tuple(losses)},
        packages={},
        code_commit="c",
        seconds=1.0,
        created_at=NOW,
    )


def test_what_the_base_answers_is_measured_or_said_not_to_be() -> None:
    found = examples()[::2]
    unknown = render_figures(material(found)).base_leak
    assert (unknown.measured, unknown.note) == (False, "Not measured: no evaluation report of the base was given.")
    evaluation = an_evaluation([found[0].hash, found[1].hash, "ex1:other"], [LEAKED_NLL, LEAKED_NLL + 0.01, 0.0])
    leak = render_figures(material(found, evaluation=evaluation)).base_leak
    assert (leak.measured, leak.rows, leak.answered, leak.percent) == (True, 2, 1, 50.0)
    assert leak.shown == ("Never print 0.",)
    others = render_figures(material(found, evaluation=an_evaluation(["ex1:other"], [0.0]))).base_leak
    assert others.note == "Not measured: the evaluation report is of other rows."


RULES = ["Please use the logger, print is noise", "Name this constant, magic number here", "Close the file handle"]


def test_comments_of_one_rule_are_one_group_named_by_its_words() -> None:
    texts = [f"{rule} in module{number} of part{number % 4}" for number in range(24) for rule in RULES]
    grouping = group_by_words(texts)
    for group, name in enumerate(grouping.names):
        inside = Counter(index % 3 for index, found in enumerate(grouping.groups) if found == group)
        ((rule, most),) = inside.most_common(1)
        assert most >= 0.9 * inside.total()
        assert set(name.split(", ")) & set(re.findall(r"\w+", RULES[rule].lower()))
    assert group_by_words(texts) == grouping


@pytest.mark.parametrize("texts", [[], ["x"], ["the of and"], ["", "", "", "", ""], ["!", "?", "1", "2", "3"]])
def test_texts_without_telling_words_are_one_group(texts: list[str]) -> None:
    assert group_by_words(texts).groups == [0] * len(texts)


def test_the_diverse_ones_are_one_of_each_rule_first() -> None:
    texts = [RULES[0]] * 20 + [RULES[1]] * 20 + [RULES[2]]
    assert {texts[index] for index in pick_diverse(texts, 3)} == set(RULES)
    assert len(pick_diverse(texts, 10)) == 3  # words said twice are read once
    assert pick_diverse([], 10) == []


# --- the page ---------------------------------------------------------------------------------------------------------

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """What a page holds; fails on tags that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str | None]] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.figures: dict[str, str] = {}
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("data-figure")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1][1]:
            self.figures[str(self.open[-1][1])] = data


def figures_of(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield path, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from figures_of(inner, f"{path}.{key}".lstrip("."))


def full_report(text: str = "Never print.") -> DatasetReport:
    found = examples([f"{text} {number}" for number in range(30)] + [text, text])
    pair = find_contradictions([an_example(body=text, comment_id=1), an_example(body="No.", comment_id=2)])
    refused = [a_rejection(number, f"reason{number % 20}", text) for number in range(40)]
    evaluation = an_evaluation([one.hash for one in found], [0.1] * len(found))
    return render_figures(
        material(found, left_out={text: 3}, rejections=refused, contradictions=pair, evaluation=evaluation)
    )


def test_every_figure_of_the_page_is_the_json_s_and_none_is_missing() -> None:
    report = full_report()
    wanted = dict(figures_of(json.loads(report.model_dump_json())))
    shown = {path: float(text) for path, text in Reader(render_page(report)).figures.items()}
    assert len(wanted) > 60
    assert shown == wanted


def test_the_page_is_well_formed_and_its_pictures_have_titles_and_tables() -> None:
    page = render_page(full_report())
    reader = Reader(page)
    assert reader.tags["svg"] == sum(bool(chart.bars) for chart in full_report().charts) > 5
    for picture in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        root = ET.fromstring(picture)  # noqa: S314 - our own page
        title = root.find("title")
        assert title is not None
        assert root.get("aria-labelledby") == title.get("id")
    assert reader.tags["table"] > reader.tags["svg"]
    assert "prefers-color-scheme: dark" in page
    ET.fromstring(page.removeprefix("<!doctype html>\n").strip())  # noqa: S314 - closed to the last tag


def test_nothing_is_loaded_and_nothing_runs_whatever_people_wrote() -> None:
    plain, hostile = Reader(render_page(full_report())), Reader(render_page(full_report(HOSTILE)))
    assert set(hostile.tags) == set(plain.tags)
    assert not set(hostile.tags) & {"script", "img", "a", "link", "iframe", "object", "embed", "form", "base"}
    names = {name for _, name, _ in hostile.attributes}
    assert names == {name for _, name, _ in plain.attributes}
    assert not {name for name in names if name.startswith("on") or name in ("src", "href", "action", "style")}
    assert not [value for _, _, value in hostile.attributes if "evil.test" in value or "javascript:" in value]
    assert "url(" not in render_page(full_report(HOSTILE))
    assert "@import" not in render_page(full_report(HOSTILE))
    csp = [value for tag, name, value in hostile.attributes if tag == "meta" and name == "content"]
    assert "default-src 'none'; style-src 'unsafe-inline'" in csp
    # and the words are all there to read
    assert "<script>alert(1)</script> ![x](https://evil.test/p.png)" in hostile.text
    assert "⟨U+202E⟩gnp.exe ⟨U+0000⟩⟨U+001B⟩[31m" in hostile.text
    assert "{{ 7*7 }}" in hostile.text


def test_unseen_characters_are_shown_by_number_and_lines_stay() -> None:
    assert readable("a\r\nb\tc\u200bd\x85\ud800") == "a\nb\tc⟨U+200B⟩d⟨U+0085⟩⟨U+D800⟩"


@pytest.mark.parametrize("found", [[], [an_example()], [a_clean_hunk()], [an_example(body="...")]])
def test_empty_and_one_row_reports_are_pages(found: list[Example]) -> None:
    report = render_figures(material(found))
    assert report.rows == len(found)
    reader = Reader(render_page(report))
    assert reader.figures["rows"] == str(len(found))


def test_a_one_row_snapshot_has_a_report(tmp_path: Path) -> None:
    a_snapshot(tmp_path / "s", examples(["Only one."]), written=0)
    report = render_figures(load_snapshot_material(tmp_path / "s", evaluation=None, now=NOW))
    assert (report.rows, len(report.to_read)) == (2, 1)
    assert report.to_read[0].text == "Only one."
    Reader(render_page(report))


def test_a_changed_snapshot_and_a_wrong_evaluation_are_told_in_words(tmp_path: Path) -> None:
    a_snapshot(tmp_path / "s")
    (tmp_path / "e.json").write_text("{}")
    with pytest.raises(UserError, match=r"e\.json: expected an evaluation report"):
        load_snapshot_material(tmp_path / "s", evaluation=tmp_path / "e.json", now=NOW)
    (tmp_path / "s" / "lines.train.jsonl").chmod(0o644)
    (tmp_path / "s" / "lines.train.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match="it was changed"):
        load_snapshot_material(tmp_path / "s", evaluation=None, now=NOW)


def test_sizes_and_months_stand_in_their_order() -> None:
    early = {"pull_request_created_at": datetime(2025, 3, 1, tzinfo=UTC)}
    report = render_figures(material([*examples(), an_example(**early)]))
    assert list(bars(report, "month")) == ["2025-03", "2026-01"]


def test_reading_a_snapshot_finds_each_comments_hunk(tmp_path: Path) -> None:
    from app.dataset.reading import load_held

    a_snapshot(tmp_path / "s")
    spoken = [row for row in read_snapshot(load_held(tmp_path / "s")) if row.kind == "review_comment"]
    assert {row.size for row in spoken} == {5}
