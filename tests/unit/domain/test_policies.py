"""What a policy file may say, and what its writer is told when it says something else."""

from typing import Any

import pytest

from app.domain.errors import UserError
from app.domain.policies import Curation, RepositoryPolicy, parse_policy
from app.github.policy_file import LARGEST_BYTES, read_policy


def blob(text: str | None) -> dict[str, Any]:
    return {"text": text, "byteSize": len(text or "")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", RepositoryPolicy()),
        ("curation: off", RepositoryPolicy(curation=Curation.OFF)),
        ("curation: 'evidence'\nopt_out: [ada, Grace-H]\nsummary: false", RepositoryPolicy(
            curation=Curation.EVIDENCE, opt_out=("ada", "Grace-H"), summary=False)),
        ("history: true", RepositoryPolicy(history=True)),
    ],
)  # fmt: skip
def test_what_can_be_said(text: str, expected: RepositoryPolicy) -> None:
    found = read_policy(blob(text))
    assert (found.policy, found.problem) == (expected, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("curation: sometimes", "expected curation to be one of manual, evidence, off"),
        ("curaton: off", "expected only the keys curation, opt_out, summary, history, got curaton"),
        ("opt_out: ada", "expected opt_out to be a list of GitHub logins"),
        ("opt_out: [ada, 'a b']", "expected opt_out to be a list of GitHub logins (item 2)"),
        ("summary: 1", "expected summary to be true or false"),
        ("history: 1", "expected history to be true or false"),
        ("- curation", "expected keys such as `curation: manual`, got a list; see the documentation"),
        ("a: &x [1]\nb: *x", "expected plain keys and values, got a YAML alias; write the value out"),
        ("a: [", "expected YAML, got a text that is none at line 1; check its indentation and quotes"),
        ("!!python/object/apply:os.system [true]", "expected YAML, got a text that is none at line 1; check its "
         "indentation and quotes"),
        ("#" * (LARGEST_BYTES + 1), f"expected a text of at most {LARGEST_BYTES} bytes, got a larger or a binary file"),
        ("[" * 5_000, "expected YAML, got a text that is none; check its indentation and quotes"),
    ],
)  # fmt: skip
def test_what_is_no_policy_is_told_and_the_default_stays(text: str, problem: str) -> None:
    found = read_policy(blob(text))
    assert (found.policy, found.problem) == (RepositoryPolicy(), problem)


def test_the_history_is_closed_unless_the_owners_open_it_and_where_nothing_is_learned_at_all() -> None:
    texts = ("", "history: false", "history: true", "history: true\ncuration: off", "history: yes please")
    assert [read_policy(blob(text)).policy.is_history_open for text in texts] == [False, False, True, False, False]


def test_a_binary_file_is_none() -> None:
    assert read_policy(blob(None)).problem is not None


def test_values_are_not_repeated() -> None:
    with pytest.raises(UserError) as caught:
        parse_policy({"curation": "secret-value"})
    assert "secret-value" not in str(caught.value)
