"""A judge is asked blind, in both orders, within a budget, once per question; what it did not say is never guessed."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import Refused, UserError
from tests.unit.training.evaluation.judging.standin import Reply, Standin, standing_in
from tests.unit.training.evaluation.rows import comment_row
from training.evaluation.judge import ModelJudge, WordJudge, judge_sheet
from training.evaluation.judging.asking import Asker, open_client
from training.evaluation.judging.questions import Case, Rating, Ratings, SameIssue, decide_marks, decide_same
from training.evaluation.judging.settings import JudgeSettings, check_judge, load_judge
from training.evaluation.sheet import Sheet, Written

BASE = BaseCheckpoint(name="SmolLM2", revision="r", weights_hash="w", tokenizer_hash="t", template_hash="c")
RIGHT = Case("ex1:1", ">+x = float(y)", "Use `Cents`.", "Wrap it in `Cents`.")
WRONG = Case("ex1:2", ">+x = float(y)", "Use `Cents`.", "Rename this.")


def _texts(body: dict[str, Any]) -> tuple[str, str]:
    user = body["messages"][0]["content"]
    found = re.search(r"<first>(.*)</first>\n<second>(.*)</second>", user)
    assert found is not None
    return found[1], found[2]


def _fair(body: dict[str, Any]) -> Reply:
    """Both name Cents: the same issue. Marks: 5 for the team's own words, 4 for others that name it, else 1."""
    first, second = _texts(body)
    if "same" in body["output_config"]["format"]["schema"]["properties"]:
        return json.dumps({"reason": "words", "same": "Cents" in first and "Cents" in second})
    return json.dumps({"first": _marks(first), "second": _marks(second)})


def _marks(text: str) -> dict[str, object]:
    mark = 5 if text == RIGHT.reference else 4 if "Cents" in text else 1
    return {"reason": "words", "correctness": mark, "adherence": mark, "completeness": mark}


@contextmanager
def _judge(standin: Standin, tmp_path: Path, **changes: object) -> Iterator[tuple[ModelJudge, Asker]]:
    (tmp_path / "key").write_text("secret\n")
    said = {"endpoint": "local", "model": "judge-1", "key_file": tmp_path / "key", "url": standin.url, "retries": 0}
    settings = JudgeSettings.model_validate(said | {"cache": tmp_path / "cache", "at_once": 2} | changes)
    with open_client(settings) as client:
        asker = Asker(settings, client)
        yield ModelJudge(settings, asker, ["Use `clock`."]), asker


def test_verdicts_marks_and_agreement(tmp_path: Path) -> None:
    with standing_in(_fair) as standin, _judge(standin, tmp_path) as (judge, _):
        right, wrong = judge.decide([RIGHT, WRONG])
        record = judge.record()
    assert (right.same, right.marks) == (True, (4.0, 4.0, 4.0))
    assert (wrong.same, wrong.marks) == (False, (1.0, 1.0, 1.0))
    assert (record.asked, record.from_cache, record.unanswered) == (8, 0, 0)
    assert record.name == "judge-1 as judge-1-20260101"
    assert record.agreement is not None
    assert (record.agreement.value, record.agreement.n) == (1.0, 2)
    assert judge.notes() == []


def test_both_orders_are_asked_and_no_arm_is_named(tmp_path: Path) -> None:
    sheet = Sheet()
    row = comment_row(1, RIGHT.reference)
    for arm in ("base", "candidate"):
        sheet.written[arm] = Written((row,), (f"Wrap it in `Cents`, {len(arm)}.",))
    with standing_in(_fair) as standin, _judge(standin, tmp_path) as (judge, _):
        judge_sheet(sheet, judge)
    for body in standin.heard:
        whole = json.dumps(body)
        assert not re.search(r"\b(base|candidate|adapter|reference|nearest)\b", whole)
    orders = [_texts(body) for body in standin.heard]
    assert sorted(orders) == sorted((second, first) for first, second in orders)
    arms = sheet.arms()
    assert arms["base"].same_issue is not None
    assert arms["candidate"].adherence is not None
    assert arms["candidate"].adherence.value == 4.0


def test_an_answer_that_depends_on_the_order_is_no_claim_of_sameness(tmp_path: Path) -> None:
    def first_wins(body: dict[str, Any]) -> Reply:
        return json.dumps({"reason": "order", "same": _texts(body)[0] == RIGHT.reference})

    with standing_in(first_wins) as standin, _judge(standin, tmp_path, rubric=False) as (judge, _):
        (verdict,) = judge.decide([RIGHT])
        record = judge.record()
    assert (verdict.same, verdict.agreed) == (False, False)
    assert record.agreement is not None
    assert record.agreement.value == 0.0


@pytest.mark.parametrize(
    "said",
    ["Yes, the same.", '{"reason": "cut', '{"same": true}', '{"reason": "", "same": "yes"}', ""],
    ids=["words", "cut", "field", "type", "empty"],
)
def test_what_has_not_the_agreed_shape_is_unanswered(said: str, tmp_path: Path) -> None:
    sheet = Sheet(written={"base": Written((comment_row(1),), ("Wrap it.",))})
    with standing_in(lambda _: said) as standin, _judge(standin, tmp_path, rubric=False) as (judge, _):
        judge_sheet(sheet, judge)
    record = judge.record()
    assert (record.asked, record.unanswered, record.agreement) == (2, 2, None)
    assert sheet.same["base"] == (None,)
    assert sheet.arms()["base"].same_issue is None
    assert "2 of 2 questions went unanswered" in judge.notes()[0]
    assert list((tmp_path / "cache").glob("*")) == []


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    with standing_in(_fair) as standin:
        with _judge(standin, tmp_path) as (judge, _):
            before = judge.decide([RIGHT, WRONG, RIGHT])
        asked = len(standin.heard)
        with _judge(standin, tmp_path) as (judge, _):
            assert judge.decide([RIGHT, WRONG, RIGHT]) == before
            assert judge.record().from_cache == 8
        assert len(standin.heard) == asked == 8
        with _judge(standin, tmp_path, model="judge-2") as (judge, _):
            judge.decide([RIGHT])
        assert len(standin.heard) == asked + 4, "another judge is asked anew"
    kept = "".join(path.read_text() for path in (tmp_path / "cache").iterdir())
    assert RIGHT.lines not in kept, "answers are kept, the code that they are about is not"


def test_the_budget_ends_the_questions(tmp_path: Path) -> None:
    with standing_in(_fair) as standin:
        with _judge(standin, tmp_path, max_calls=3, rubric=False) as (judge, _):
            verdicts = judge.decide([RIGHT, WRONG])
        assert len(standin.heard) == 3
        assert sum(verdict.same is None for verdict in verdicts) == 1
        with _judge(standin, tmp_path, max_tokens=1, rubric=True, at_once=1, cache=None) as (judge, _):
            judge.decide([RIGHT, WRONG])
        assert len(standin.heard) == 4
        assert judge.record().unanswered == 7


def test_a_busy_judge_is_asked_again_and_an_absent_one_is_given_up(tmp_path: Path) -> None:
    busy = [(429, {"retry-after-ms": "10"}), (529, {"retry-after-ms": "10"})]

    def recovering(body: dict[str, Any]) -> Reply:
        return busy.pop() if busy else _fair(body)

    with (
        standing_in(recovering) as standin,
        _judge(standin, tmp_path, retries=3, rubric=False, at_once=1) as (judge, _),
    ):
        assert [verdict.same for verdict in judge.decide([RIGHT])] == [True]
        assert len(standin.heard) == 4
    cases = [Case(f"ex1:{at}", str(at), "a", "b") for at in range(20)]
    with standing_in(lambda _: (500, {})) as standin, _judge(standin, tmp_path, at_once=1) as (judge, asker):
        assert {verdict.same for verdict in judge.decide(cases)} == {None}
        assert len(standin.heard) == 8
        assert asker.tally.unanswered == asker.tally.asked == 80


def test_a_wrong_key_is_an_error_and_no_figure(tmp_path: Path) -> None:
    with (
        standing_in(lambda _: (401, {})) as standin,
        _judge(standin, tmp_path) as (judge, _),
        pytest.raises(UserError, match="answered 401 for judge-1"),
    ):
        judge.decide([RIGHT])


def test_the_key_is_that_of_its_file_and_never_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "from-the-environment")
    with standing_in(_fair) as standin:
        with _judge(standin, tmp_path, rubric=False, cache=None) as (judge, _):
            judge.decide([RIGHT])
        hosted = {"endpoint": "anthropic", "send_code_to_anthropic": True, "cache": None, "rubric": False}
        with _judge(standin, tmp_path, **hosted) as (judge, _):
            judge.decide([RIGHT])
    assert standin.keys == ["Bearer secret"] * 4
    assert [body.get("temperature") for body in standin.heard] == [0, 0, None, None]


def test_without_a_judge_words_decide_and_that_is_said() -> None:
    judge = WordJudge([comment_row(1)])
    assert [verdict.same for verdict in judge.decide([RIGHT, WRONG])] == [True, False]
    assert judge.record() is None
    assert judge.notes()[0].startswith("not judged")


def test_the_base_does_not_judge_itself() -> None:
    said = {"endpoint": "local", "key_file": "k", "url": "http://127.0.0.1:1"}
    for name in ("base", "models/SmolLM2", "smollm2", "7--0123456789ab"):
        with pytest.raises(Refused, match="nearly at random"):
            check_judge(JudgeSettings.model_validate(said | {"model": name}), BASE)
    check_judge(JudgeSettings.model_validate(said | {"model": "another"}), BASE)
    check_judge(JudgeSettings.model_validate(said | {"model": "base", "own_base_may_judge": True}), BASE)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("endpoint: anthropic\nmodel: m\nkey_file: k\n", "send_code_to_anthropic"),
        ("endpoint: local\nmodel: m\nkey_file: k\n", "url"),
        ("endpoint: local\nmodel: m\nkey_file: k\nurl: https://api.anthropic.com\n", "expected anthropic"),
        ("endpoint: local\nmodel: m\nkey_file: k\nurl: http://h\nmax_call: 3\n", "max_call"),
        ("a: [", "YAML"),
    ],
    ids=["consent", "url", "disguise", "typo", "syntax"],
)
def test_settings_that_are_wrong_are_named(text: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "judge.yaml").write_text(text)
    with pytest.raises(UserError, match=named):
        load_judge(tmp_path / "judge.yaml")


def test_settings_name_files_beside_themselves(tmp_path: Path) -> None:
    (tmp_path / "judge.yaml").write_text("endpoint: local\nmodel: m\nkey_file: k\nurl: http://h/\ncache: c\n")
    settings = load_judge(tmp_path / "judge.yaml")
    assert (settings.cache, settings.address) == (tmp_path / "c", "http://h")
    with pytest.raises(UserError, match="the judge's key"):
        settings.read_key()
    (tmp_path / "k").write_text(" \n")
    with pytest.raises(UserError, match="an empty file"):
        settings.read_key()


def test_a_missing_order_leaves_no_verdict() -> None:
    same = SameIssue(reason="", same=True)
    assert decide_same(same, None) is None
    assert decide_same(same, same) is True
    low, high = (Rating(reason="", correctness=at, adherence=at, completeness=at) for at in (1, 5))
    assert decide_marks(Ratings(first=low, second=high), None) is None
    assert decide_marks(Ratings(first=low, second=high), Ratings(first=high, second=low)) == (5.0, 5.0, 5.0)
    assert decide_marks(Ratings(first=low, second=high), Ratings(first=low, second=high)) == (3.0, 3.0, 3.0)
