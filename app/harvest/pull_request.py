"""The harvest of one pull request: every thread becomes an Example or a Rejection, every silent hunk an Example."""

from collections.abc import Iterator

from app.domain.base import Record
from app.domain.diff import Hunk, Side
from app.domain.diff_hunk import last_position
from app.domain.examples import Example, ExampleKind, Rejection
from app.domain.noise import WORDLESS, Noise, decide_bot
from app.domain.paths import decide_unread
from app.github.harvested import HarvestedPull, HarvestedThread
from app.harvest.fixes import Place
from app.harvest.history import History
from app.harvest.outcome import UNKNOWN, Outcome, read_outcome
from app.harvest.silence import SeenHunk, Spot, select_commented, select_silent, words_at
from app.harvest.threads import decide_lines, parse_shown
from app.harvest.wishes import decide_before_git, decide_machines, decide_wishes
from app.screening.cutting import cut_hunk
from app.screening.screen import bare_diff, decide_screened, decide_texts

#: Files of an approved diff whose hunks are read; past that nobody read them all.
APPROVED_FILES = 100
#: Whose approval says that the team read it. Anyone may approve a pull request on GitHub, and mean nothing by it.
_TEAM = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
UNREACHABLE = Noise(
    reason="commit_unreachable", detail="the commented commit is gone and GitHub kept no hunk that shows the line"
)


class Harvest(Record):
    """`base_sha`: the merge base of the head and the base branch before the merge, None when git knows none."""

    examples: tuple[Example, ...]
    rejections: tuple[Rejection, ...]
    base_sha: str | None = None


class Shown(Record):
    """A hunk and the commented lines in it."""

    hunk: Hunk
    first: int
    last: int
    side: Side


def commits_of(pull: HarvestedPull) -> tuple[str, ...]:
    """Every commit the harvest looks at: base, head, and those that were commented on or approved."""
    commented = (thread.root.original_commit_sha for thread in pull.threads)
    approved = (review.commit_sha for review in pull.reviews if review.state == "APPROVED")
    return tuple(dict.fromkeys(sha for sha in (pull.base_sha, pull.head_sha, *commented, *approved) if sha))


def harvest_pull(pull: HarvestedPull, history: History) -> Harvest:
    """Same pull request, same git, same policy of the repository: same result, byte for byte."""
    spots = tuple(_spot(thread) for thread in pull.threads if thread.root.author.login != pull.author.login)
    threads = sorted(pull.threads, key=lambda thread: thread.root.comment_id)
    wishes = decide_wishes(pull)
    machines = decide_machines(pull)
    results = [
        _read_thread(pull, thread, history, spots, wishes or decide_before_git(pull, thread, machines))
        for thread in threads
    ]
    silent = select_silent(tuple(_seen_hunks(pull, history)), spots) if wishes is None else ()
    clean = (_clean_hunk(pull, item) for item in silent)
    return Harvest(
        examples=(
            *(result for result in results if isinstance(result, Example)),
            *(example for example in clean if decide_screened(example) is None),
        ),
        rejections=tuple(result for result in results if isinstance(result, Rejection)),
        base_sha=history.merge_base(pull.base_sha, pull.head_sha),
    )


def _read_thread(
    pull: HarvestedPull, thread: HarvestedThread, history: History, spots: tuple[Spot, ...], noise: Noise | None
) -> Example | Rejection:
    lines = decide_lines(thread, parse_shown(thread))
    outcome = UNKNOWN
    sha = thread.root.original_commit_sha
    # What a machine or the author wrote is never learned from, so git is not asked what became of it.
    if lines is not None and sha is not None and (noise is None or noise.reason not in ("bot", "self_comment")):
        first, last, side = lines
        place = Place(sha=sha, path=thread.path, first=first, last=last)
        outcome = read_outcome(
            history, place, side, base_sha=pull.base_sha, head_sha=pull.head_sha, body=thread.root.body
        )
    found = noise or _read_hunk(pull, thread, history, spots, outcome)
    return found if isinstance(found, Example) else _rejection(pull, thread, lines, outcome, found)


def _read_hunk(
    pull: HarvestedPull, thread: HarvestedThread, history: History, spots: tuple[Spot, ...], outcome: Outcome
) -> Example | Noise:
    stored = parse_shown(thread)
    lines = decide_lines(thread, stored)
    shown = None if lines is None else _find_hunk(pull, thread, history, stored, lines)
    if shown is None:
        return UNREACHABLE
    example = _example(pull, thread, shown, outcome, spots)
    return decide_screened(example) or example


def _find_hunk(
    pull: HarvestedPull,
    thread: HarvestedThread,
    history: History,
    stored: Hunk | None,
    lines: tuple[int, int, Side],
) -> Shown | None:
    """The hunk of the pull request's diff that shows the line, else the one that GitHub stored with the comment."""
    first, last, side = lines
    sha = thread.root.original_commit_sha
    base = history.merge_base(pull.base_sha, sha) if sha is not None and history.has(sha) else None
    if sha is not None and base is not None:
        hunk = history.file_diff(base, sha, thread.path).hunk_with(last, side)
        if hunk is not None:
            return Shown(hunk=hunk, first=first, last=last, side=side)
    if stored is None:
        return None
    at, at_side = last_position(stored)
    return Shown(hunk=stored, first=min(first, at) if at_side == side else at, last=at, side=at_side)


def _example(
    pull: HarvestedPull, thread: HarvestedThread, shown: Shown, outcome: Outcome, spots: tuple[Spot, ...]
) -> Example:
    sha = thread.root.original_commit_sha or pull.head_sha
    hunk = _cut(shown)
    indices = select_commented(hunk, thread.path, sha, spots) | {hunk.index_of(shown.last, shown.side)}
    return Example(
        kind=ExampleKind.REVIEW_COMMENT,
        host=pull.host,
        repository_id=pull.repository_id,
        repository=pull.repository,
        pull_request=pull.number,
        pull_request_created_at=pull.created_at,
        commit_sha=sha,
        path=thread.path,
        hunk=hunk,
        commented_lines=_new_lines(hunk, indices),
        comment_id=thread.root.comment_id,
        reviewer=thread.root.author.login,
        line=shown.last,
        start_line=shown.first if shown.first != shown.last else None,
        side=shown.side,
        body=thread.root.body,
        evidence=outcome.evidence,
        fix=outcome.fix,
    )


def _cut(shown: Shown) -> Hunk:
    last = shown.hunk.index_of(shown.last, shown.side)
    first = shown.hunk.index_of(shown.first, shown.side)
    if last is None:
        return shown.hunk
    return cut_hunk(shown.hunk, last if first is None else min(first, last), last)


def _new_lines(hunk: Hunk, indices: frozenset[int | None]) -> tuple[int, ...]:
    numbers = (hunk.lines[index].new for index in indices if index is not None)
    return tuple(sorted(number for number in numbers if number is not None))


def _rejection(
    pull: HarvestedPull,
    thread: HarvestedThread,
    lines: tuple[int, int, Side] | None,
    outcome: Outcome,
    noise: Noise,
) -> Rejection:
    return Rejection(
        host=pull.host,
        repository_id=pull.repository_id,
        repository=pull.repository,
        pull_request=pull.number,
        comment_id=thread.root.comment_id,
        path=thread.path,
        line=None if lines is None else lines[1],
        side=thread.side if lines is None else lines[2],
        evidence=outcome.evidence,
        reason=noise.reason,
        detail=noise.detail,
        fix=outcome.fix if noise.reason in WORDLESS and _may_keep(outcome) else None,
    )


def _may_keep(outcome: Outcome) -> bool:
    return outcome.fix is not None and decide_texts(map(bare_diff, outcome.fix.hunks)) is None


def _clean_hunk(pull: HarvestedPull, item: SeenHunk) -> Example:
    return Example(
        kind=ExampleKind.CLEAN_HUNK,
        host=pull.host,
        repository_id=pull.repository_id,
        repository=pull.repository,
        pull_request=pull.number,
        pull_request_created_at=pull.created_at,
        commit_sha=item.sha,
        path=item.path,
        hunk=item.hunk,
    )


def _spot(thread: HarvestedThread) -> Spot:
    hunk = parse_shown(thread)
    lines = decide_lines(thread, hunk)
    return Spot(
        sha=thread.root.original_commit_sha,
        path=thread.path,
        side=thread.side if lines is None else lines[2],
        line=None if lines is None else lines[1],
        words=None if hunk is None or thread.is_file_comment else words_at(hunk, len(hunk.lines) - 1),
    )


def _seen_hunks(pull: HarvestedPull, history: History) -> Iterator[SeenHunk]:
    """What people other than the author had before their eyes, approvals first; each commit and file once."""
    seen = dict.fromkeys((*_approved_files(pull, history), *_commented_files(pull)))
    for sha, path in seen:
        if decide_unread(path) is not None:
            continue
        base = history.merge_base(pull.base_sha, sha) if history.has(sha) else None
        if base is not None and history.lines(sha, path) is not None:
            yield from (SeenHunk(sha=sha, path=path, hunk=hunk) for hunk in history.file_diff(base, sha, path).hunks)


def _approved_files(pull: HarvestedPull, history: History) -> Iterator[tuple[str, str]]:
    for review in pull.reviews:
        by_other = review.author.login != pull.author.login and not decide_bot(review.author.login, review.author.kind)
        sha = review.commit_sha
        counts = review.state == "APPROVED" and by_other and review.association in _TEAM
        if counts and sha is not None and history.has(sha):
            base = history.merge_base(pull.base_sha, sha)
            paths = history.changed_paths(base, sha) if base is not None else ()
            yield from ((sha, path) for path in paths[:APPROVED_FILES])


def _commented_files(pull: HarvestedPull) -> Iterator[tuple[str, str]]:
    for thread in pull.threads:
        author, sha = thread.root.author, thread.root.original_commit_sha
        if sha is not None and author.login != pull.author.login and not decide_bot(author.login, author.kind):
            yield sha, thread.path
