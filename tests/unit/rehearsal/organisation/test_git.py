"""The repositories are real: git agrees with the story about every text, hunk and fate."""

import subprocess
import time
from pathlib import Path

import pytest

from app.domain.diff import Hunk, parse_patch
from app.domain.errors import UserError
from app.harvest.evidence import decide_by_distance
from app.harvest.positions import parse_changes
from app.rehearsal.organisation.git import BuiltRepository, build_repositories
from app.rehearsal.organisation.hunks import shown_hunks
from app.rehearsal.organisation.records import PullRequest, Story
from app.rehearsal.organisation.story import write_story

Built = dict[str, BuiltRepository]


def git(path: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "--git-dir", str(path), *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def test_same_story_same_commits_and_fast(tmp_path: Path, story: Story, built: Built) -> None:
    began = time.monotonic()
    again = build_repositories(story, tmp_path)
    assert time.monotonic() - began < 10  # a second by itself; the machine may be busy
    for name, repository in built.items():
        assert again[name].commits == repository.commits
        assert again[name].bases == repository.bases
        git(repository.path, "fsck", "--strict", "--no-dangling")


def test_building_again_finds_the_same_and_refuses_another_story(tmp_path: Path) -> None:
    small = write_story(1, "small")
    first = build_repositories(small, tmp_path)
    assert build_repositories(small, tmp_path) == first
    with pytest.raises(UserError, match="holds something else"):
        build_repositories(write_story(2, "small"), tmp_path)


def test_git_holds_every_text_and_forced_commits_without_a_ref(story: Story, built: Built) -> None:
    for pull in (*story.merged[::9], *story.held_out[::5]):
        repository = built[pull.repository]
        for index, sha in enumerate(repository.commits[pull.number]):
            for path in pull.paths_at(index):
                assert git(repository.path, "show", f"{sha}:{path}") == pull.text_at(index, path)
    forced = next(pull for pull in story.merged if pull.force_pushed)
    repository = built[forced.repository]
    lost = repository.commits[forced.number][forced.threads[0].commit]
    assert git(repository.path, "cat-file", "-t", lost).strip() == "commit"
    assert not git(repository.path, "for-each-ref", "--contains", lost).strip()


def test_main_ends_with_the_last_merge(story: Story, built: Built) -> None:
    for name, repository in built.items():
        merges = [pull for pull in story.merged if pull.repository == name]
        log = git(repository.path, "log", "--merges", "--format=%s", "main").splitlines()
        assert len(log) == len(merges)
        assert f"#{merges[-1].number}:" in log[0]
        first_open = next(pull for pull in story.held_out if pull.repository == name)
        assert repository.bases[first_open.number] == git(repository.path, "rev-parse", "main").strip()


def hunks_of_git(repository: BuiltRepository, pull: PullRequest, path: str, context: int) -> tuple[Hunk, ...]:
    span = (repository.bases[pull.number], repository.head(pull.number))
    diff = git(repository.path, "diff", f"-U{context}", *span, "--", path)
    return parse_patch(path, diff[diff.index("\n@@ ") + 1 :]).hunks


def test_hunks_are_those_of_git(story: Story, built: Built) -> None:
    for pull in (*story.merged, *story.held_out):
        for path in pull.paths_at(len(pull.commits) - 1):
            shown = hunks_of_git(built[pull.repository], pull, path, 3)
            theirs = [tuple(n for _, n in lines) for lines in map(added_lines, shown) if lines]
            ours = [hunk.added for hunk in shown_hunks(pull) if hunk.path == path]
            assert ours == theirs, f"{pull.repository}#{pull.number} {path}"


def test_new_functions_stand_in_hunks_of_their_own_even_with_wide_context(story: Story, built: Built) -> None:
    for pull in (*story.merged[::6], *story.held_out[::3]):
        for path in pull.paths_at(len(pull.commits) - 1):
            for hunk in hunks_of_git(built[pull.repository], pull, path, 5):
                assert sum(text.startswith("def ") for text, _ in added_lines(hunk)) <= 1


def added_lines(hunk: Hunk) -> list[tuple[str, int]]:
    return [(line.text, line.new) for line in hunk.lines if line.kind == "added" and line.new and line.text.strip()]


def test_git_shows_of_every_line_what_the_story_says(story: Story, built: Built) -> None:
    """`unchanged` comments may see other lines of their file change, but none near; a suggestion changes its line."""
    expected = {
        "line": {"line"},
        "suggestion": {"line"},
        "near": {"near"},
        "unchanged": {"unchanged", "file"},
    }
    for pull in story.merged:
        repository = built[pull.repository]
        for thread in pull.threads:
            sha = repository.commits[pull.number][thread.commit]
            diff = git(repository.path, "diff", "-U0", "-M", sha, repository.head(pull.number), "--", thread.path)
            evidence = decide_by_distance(parse_changes(diff), first=thread.line, last=thread.line)
            assert evidence.value in expected[thread.fate], f"{pull.repository}#{pull.number} {thread}"
