"""Problems from the package's file and from a file of one's own."""

import json
from pathlib import Path

import pytest

from app.domain.errors import UserError
from training.forgetting.passages import hash_passages, read_passages
from training.forgetting.problems import hash_problems, load_humaneval, load_mbpp, thin

LINE = {
    "task_id": 11,
    "text": "Write a function to double a number.",
    "code": "def double(n):\n    return 2 * n",
    "test_list": ["assert set(double(2) for _ in range(1)) == {4}", "assert double(3) == 6"],
    "test_setup_code": "",
}


def test_humaneval_is_whole_and_each_problem_brings_its_tests() -> None:
    problems = load_humaneval()
    assert [problem.id for problem in problems] == [f"HumanEval/{index}" for index in range(164)]
    assert all(problem.tests.rstrip().endswith(f"check({problem.entry})") for problem in problems)


def test_mbpp_is_read_as_its_authors_publish_it(tmp_path: Path) -> None:
    path = tmp_path / "mbpp.jsonl"
    path.write_text(json.dumps(LINE) + "\n")
    (problem,) = load_mbpp(path)
    assert (problem.id, problem.entry) == ("MBPP/11", "double")
    assert problem.tests.splitlines() == LINE["test_list"]
    assert "must pass: assert set(double(2)" in problem.task


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", "mbpp.jsonl:1: expected a JSON object with task_id"),
        ("nonsense", "mbpp.jsonl:1"),
        (
            json.dumps(LINE) + "\n" + json.dumps(LINE | {"test_list": ["assert True"]}),
            "mbpp.jsonl:2.*calls the function",
        ),
    ],
)
def test_another_file_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "mbpp.jsonl"
    path.write_text(text)
    with pytest.raises(UserError, match=expected):
        load_mbpp(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="found no file"):
        load_mbpp(tmp_path / "mbpp.jsonl")


def test_fewer_problems_are_other_problems() -> None:
    problems = load_humaneval()
    assert [problem.id for problem in thin(problems, 2)] == ["HumanEval/0", "HumanEval/82"]
    assert thin(problems, 0) == []
    assert hash_problems(thin(problems, 2)) != hash_problems(thin(problems, 3))


def test_general_text_is_the_same_every_time() -> None:
    passages = read_passages(6)
    assert len(set(passages)) == 6
    assert all(600 < len(passage) <= 900 for passage in passages)
    assert hash_passages(passages) == hash_passages(read_passages(6))
    assert hash_passages(passages) != hash_passages(read_passages(5))
