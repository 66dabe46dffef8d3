"""The story holds what it promises: enough people, threads and rules, code that parses, and held-out code unseen."""

import ast
import builtins
import re
from collections import Counter
from itertools import pairwise

import pytest

from app.rehearsal.organisation.hunks import shown_hunks
from app.rehearsal.organisation.people import BOT, MAINTAINER, POET, REVIEWERS, TRIAGER
from app.rehearsal.organisation.records import PullRequest, Story
from app.rehearsal.organisation.rules import HOUSE_RULES, RULES_BY_ID
from app.rehearsal.organisation.score import named_rules
from app.rehearsal.organisation.story import write_story


def added_lines(pull: PullRequest) -> list[str]:
    """Every line that the pull request adds at any of its commits."""
    lines = []
    for index in range(len(pull.commits)):
        for hunk in shown_hunks(pull, index):
            text = pull.text_at(index, hunk.path).splitlines()
            lines += [text[number - 1] for number in hunk.added]
    return lines


def added_functions(pull: PullRequest) -> set[str]:
    return {found[1] for line in added_lines(pull) if (found := re.match(r"def (\w+)", line))}


def test_the_demo_is_as_large_as_the_issue_asks(story: Story) -> None:
    kinds = Counter(thread.kind for thread in story.threads)
    assert len(story.repositories) == 2
    assert len(story.merged) >= 56
    assert len(story.held_out) == 14
    assert len(story.threads) >= 170
    assert kinds["peeve"] >= 15
    assert set(kinds) == {"rule", "peeve", "praise", "question", "nit", "self", "bot"}
    assert {thread.author for thread in story.threads if thread.kind == "rule"} == set(REVIEWERS)
    assert {thread.rule for thread in story.threads if thread.rule} == set(RULES_BY_ID)


def test_every_text_is_python_without_undefined_names(story: Story) -> None:
    texts = {text for files in story.repositories.values() for text in files.values()}
    for pull in (*story.merged[::3], *story.held_out):
        texts |= {text for commit in pull.commits for text in commit.changes.values()}
    for text in texts:
        tree = ast.parse(text)
        assert not _undefined(tree)
        assert max(map(len, text.splitlines())) <= 100


def _undefined(tree: ast.Module) -> set[str]:
    """Names a function reads that nothing binds: no import, no parameter, no assignment, no builtin."""
    known, read = set(dir(builtins)), set()
    for node in ast.walk(tree):
        match node:
            case ast.alias() | ast.FunctionDef():
                known.add(node.name)
            case ast.arg():
                known.add(node.arg)
            case ast.Name(ctx=ast.Store()):
                known.add(node.id)
            case ast.Name():
                read.add(node.id)
    return read - known


@pytest.mark.parametrize("noise", [False, True])
def test_every_comment_stands_on_an_added_line_of_its_commit(story: Story, noisy: Story, *, noise: bool) -> None:
    for pull in (noisy if noise else story).merged:
        for thread in pull.threads:
            shown = {(hunk.path, line) for hunk in shown_hunks(pull, thread.commit) for line in hunk.added}
            assert (thread.path, thread.line) in shown
            assert pull.text_at(thread.commit, thread.path).splitlines()[thread.line - 1] == thread.line_text
            assert pull.commits[thread.commit].at < thread.at
            if thread.commit + 1 < len(pull.commits):
                assert thread.at < pull.commits[thread.commit + 1].at


def test_comments_about_rules_name_their_rule_and_nobody_reviews_themselves(story: Story) -> None:
    for pull in story.merged:
        for thread in pull.threads:
            assert (thread.author == pull.author) == (thread.kind == "self")
            spoken = thread.body.split("```")[0]
            assert named_rules(spoken) == ({thread.rule} if thread.rule else set())
            assert len(spoken.split()) <= 25
            assert "{" not in spoken


def test_most_comments_are_acted_on_and_small_talk_never_is(story: Story) -> None:
    fates = Counter(thread.fate for thread in story.threads if thread.kind == "rule")
    total = sum(fates.values())
    assert fates["line"] + fates["near"] + fates["suggestion"] >= 0.85 * total
    assert all(fates[fate] >= 3 for fate in ("line", "near", "suggestion", "unchanged"))
    assert {thread.fate for thread in story.threads if thread.kind != "rule"} == {"unchanged"}
    assert {thread.author for thread in story.threads if thread.kind == "peeve"} == {POET}


def test_merged_pulls_are_approved_by_another_and_labelled_by_the_maintainer_with_few_exceptions(story: Story) -> None:
    for pull in story.merged:
        assert pull.approval
        assert pull.approval.author in REVIEWERS
        assert pull.approval.author != pull.author
        assert pull.merged_at
        assert pull.commits[-1].at < pull.approval.at < pull.merged_at
    labels = Counter((pull.label.name, pull.label.by) if pull.label else None for pull in story.merged)
    assert labels["understudy:approve", MAINTAINER] >= 48
    assert labels["understudy:reject", MAINTAINER] == 1
    assert labels["understudy:approve", TRIAGER] == 1
    assert labels[None] == 3
    assert sum(pull.force_pushed for pull in story.merged) >= 3
    assert {person.login for person in story.people if person.is_bot} == {BOT}


def test_pulls_of_a_repository_follow_each_other_over_months(story: Story) -> None:
    for name in story.repositories:
        pulls = [pull for pull in (*story.merged, *story.held_out) if pull.repository == name]
        assert [pull.number for pull in pulls] == list(range(1, len(pulls) + 1))
        merged = [pull for pull in pulls if pull.merged_at]
        for before, after in pairwise(merged):
            assert before.merged_at
            assert before.merged_at < after.commits[0].at
    assert (story.merged[-1].created_at - story.merged[0].created_at).days > 150
    assert max(pull.merged_at for pull in story.merged if pull.merged_at) < story.held_out[0].commits[0].at


def test_held_out_breaks_every_rule_and_leaves_much_alone(story: Story) -> None:
    broken = Counter(one.rule for pull in story.held_out for one in pull.violations)
    assert sum(broken.values()) >= 30
    assert set(broken) == {rule.id for rule in HOUSE_RULES}
    assert sum(not pull.violations for pull in story.held_out) == 4
    assert max(len(pull.violations) for pull in story.held_out) <= 5
    clean = [
        hunk
        for pull in story.held_out
        for hunk in shown_hunks(pull)
        if not any(one.path == hunk.path and hunk.first <= one.line <= hunk.last for one in pull.violations)
    ]
    assert len(clean) >= 60


def test_held_out_code_was_never_seen(story: Story) -> None:
    old = {line for files in story.repositories.values() for text in files.values() for line in text.splitlines()}
    old |= {line for pull in story.merged for line in added_lines(pull)}
    old_words = set(re.findall(r"\w+", "\n".join(old)))
    old_literals = set(re.findall(r'"[\w-]+"|\b\d+\b', "\n".join(old)))
    for pull in story.held_out:
        new = [line for line in added_lines(pull) if line.strip() and "import" not in line]
        names = added_functions(pull)
        assert names
        assert not names & old_words
        for one in pull.violations:
            line = pull.text_at(0, one.path).splitlines()[one.line - 1].strip()
            if not RULES_BY_ID[one.rule].needs_surroundings:
                assert line not in {text.strip() for text in old}, line
        numbers = {found for line in new for found in re.findall(r"\b[6-9]\d\b", line)}
        assert not numbers & old_literals


def test_the_newest_fifth_uses_words_of_its_own(story: Story) -> None:
    late = story.merged[-11:]
    early = {name for pull in story.merged[:-11] for name in added_functions(pull)}
    assert not {name for pull in late for name in added_functions(pull)} & early
    nouns = ("barge", "gantr", "bonded_store", "freight_note", "pontoon", "ferr", "stevedore", "lighterage")
    assert not any(noun in name for name in early for noun in nouns)


def test_same_seed_same_story_and_another_seed_another_one(story: Story) -> None:
    assert write_story(story.seed) == story
    assert write_story(story.seed + 1).merged[0].commits != story.merged[0].commits


def test_noise_moves_the_words_and_leaves_the_code(story: Story, noisy: Story) -> None:
    for true, false in zip(story.merged, noisy.merged, strict=True):
        assert added_functions(true) == added_functions(false)
        assert true.author == false.author
        assert all((thread.author == false.author) == (thread.kind == "self") for thread in false.threads)
    assert Counter(thread.body for thread in story.threads) == Counter(thread.body for thread in noisy.threads)
    marked = sum(
        thread.rule is not None and thread.rule in _rules_of_line(thread.line_text) for thread in noisy.threads
    )
    assert marked < 0.1 * len(noisy.threads)
    fates = Counter(thread.fate for thread in noisy.threads if thread.kind == "rule")
    assert fates["line"] > 0.8 * sum(fates.values())


def _rules_of_line(line: str) -> frozenset[str]:
    return named_rules(line)


def test_the_small_story_is_small() -> None:
    small = write_story(3, "small")
    assert len(small.merged) == 14
    assert len(small.held_out) == 3
    assert 30 <= len(small.threads) <= 55
    assert sum(len(pull.violations) for pull in small.held_out) >= 8
