"""Performs the story on the stand-in GitHub: people open, review, fix, approve, merge and label pull requests."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from app.rehearsal.organisation.git import BuiltRepository, build_repositories
from app.rehearsal.organisation.records import PullRequest, Story, Thread
from app.rehearsal.speaking import Said, Spot, say_thread
from app.rehearsal.standin.control import StandIn

#: Called after each pull request with how many are done and how many there are.
Progress = Callable[[int, int], None]


def enter_organisation(story: Story, standin: StandIn, root: Path | None = None) -> dict[str, BuiltRepository]:
    """The repositories and the people, before anything happens. Repositories are built under `root` unless they are.

    Safe to repeat: what the stand-in has already is left as it is.
    """
    built = build_repositories(story, root or standin.root / "story")
    for person in story.people:
        standin.add_user(person.login, kind="Bot" if person.is_bot else "User")
    for name, repository in built.items():
        if name not in standin.repositories:
            standin.add_repository(name, bare=repository.path)
        for person in story.people:
            standin.add_collaborator(name, person.login, person.permission)
    return built


def play_history(
    story: Story, standin: StandIn, *, root: Path | None = None, on_pull: Progress | None = None
) -> dict[str, BuiltRepository]:
    """Everything up to the last merge, in the story's order. What was said before the App was installed is no webhook
    any more; each merge is one. Labels come later, with `label_history`."""
    built = enter_organisation(story, standin, root)
    for done, pull in enumerate(story.merged, start=1):
        play_pull(standin, built[pull.repository], pull)
        if on_pull is not None:
            on_pull(done, len(story.merged))
    return built


def play_pull(standin: StandIn, repository: BuiltRepository, pull: PullRequest) -> None:
    """One pull request from its opening to its merge, which alone is announced."""
    with standin.silence():
        _discuss(standin, repository, pull)
    if pull.merged_by is not None:
        standin.merge(pull.repository, pull.number, by=pull.merged_by, at=pull.merged_at)


def label_history(story: Story, standin: StandIn) -> None:
    """The maintainer goes through what was merged, and so do people who may not."""
    for pull in story.merged:
        if pull.label is not None:
            standin.label(pull.repository, pull.number, pull.label.name, by=pull.label.by)


def _discuss(standin: StandIn, repository: BuiltRepository, pull: PullRequest) -> None:
    _open(standin, repository, pull)
    said: dict[int, list[Thread]] = defaultdict(list)
    for thread in pull.threads:
        said[thread.commit].append(thread)
    for index, sha in enumerate(repository.commits[pull.number]):
        if index:
            commit = pull.commits[index]
            standin.push(pull.repository, pull.number, sha, force=commit.parent is None, at=commit.at)
        for thread in said[index]:
            _speak(standin, pull, thread, sha)
    _finish(standin, repository, pull)


def open_heldout(story: Story, standin: StandIn, pull: PullRequest, *, root: Path | None = None) -> int:
    """Open one held-out pull request, for the App to review; returns its number."""
    built = build_repositories(story, root or standin.root / "story")
    return _open(standin, built[pull.repository], pull)


def _open(standin: StandIn, repository: BuiltRepository, pull: PullRequest) -> int:
    return standin.open_pull_request(
        pull.repository,
        author=pull.author,
        title=pull.title,
        body=pull.body,
        head_ref=f"{pull.author}/{pull.number}",
        head_sha=repository.commits[pull.number][0],
        base_sha=repository.bases[pull.number],
        number=pull.number,
        created_at=pull.created_at,
    )


def _speak(standin: StandIn, pull: PullRequest, thread: Thread, sha: str) -> None:
    replies = [Said(reply.author, reply.body, reply.at) for reply in thread.replies]
    spot = Spot(pull.repository, pull.number, thread.path, thread.line, sha)
    say_thread(standin, spot, Said(thread.author, thread.body, thread.at, thread.comment_id), replies)


def _finish(standin: StandIn, repository: BuiltRepository, pull: PullRequest) -> None:
    for thread in pull.threads:
        if thread.resolved:
            standin.resolve_thread(pull.repository, pull.number, thread.comment_id, by=pull.author)
    if pull.approval is not None:
        head = repository.head(pull.number)
        standin.approve(pull.repository, pull.number, author=pull.approval.author, commit_sha=head, at=pull.approval.at)
