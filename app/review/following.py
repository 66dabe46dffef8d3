"""What became of what we said at earlier heads of a pull request, and the mark that our comments get for it. Pure.

A Finding is *addressed* when no added line of the pull request, as it is now, would give its fingerprint: the commented
line reads otherwise, or is gone. A rebase that leaves the line changes nothing. Where GitHub shows no diff nothing is
claimed. A line that comes back takes the mark away again. (ADR 0025)
"""

import re
from collections.abc import Iterable, Mapping

from app.domain.base import Record
from app.domain.diff import parse_patch
from app.domain.errors import UserError
from app.domain.findings import finding_fingerprint, finding_words
from app.domain.lines import cut_text
from app.review.coverage import GITHUB_FILES_LIMIT, ChangedFile, Followed

_SHORT = 7
#: The mark with the white space before it, in its words of now and in those that older comments of ours still carry.
#: People who edit a comment in their browser may leave CRLF in it.
_MARK = re.compile(
    r"(?:\r?\n){0,2}<!-- understudy:addressed:[0-9a-f]{40,64} -->(?:\r?\n)?"
    r"(?:Addressed in `[0-9a-f]{7}`\."
    r"|Addressed or overtaken as of `[0-9a-f]{7}`: the line reads otherwise, or is gone\.)?"
)


class PostedFinding(Record):
    """A Finding that was posted on the pull request. `comment_id` is None where it was said in a review's own words;
    `words` is None on those that were drafted before dismissals were remembered."""

    fingerprint: str
    words: str | None
    path: str
    body: str
    comment_id: int | None


def decide_followed(
    earlier: Iterable[PostedFinding], files: tuple[ChangedFile, ...], dismissed: frozenset[str] = frozenset()
) -> Followed:
    """What of `earlier` is addressed and what still stands; what can't be told, and what people dismissed, is neither.

    `files` are the pull request's own as GitHub lists them now, `dismissed` fingerprints and words.
    """
    added = {file.path: _added_texts(file) for file in files}
    is_cut = len(files) >= GITHUB_FILES_LIMIT
    addressed: list[str] = []
    standing: list[str] = []
    for one in earlier:
        if dismissed & {one.fingerprint, one.words}:
            continue
        stands = _decide_standing(one, added, is_cut=is_cut)
        if stands is not None:
            (standing if stands else addressed).append(one.fingerprint)
    return Followed(addressed=tuple(addressed), standing=tuple(standing))


def is_said(path: str, text: str, earlier: Iterable[PostedFinding]) -> bool:
    """Whether one of `earlier` stands on a line of this file with these words, whatever it said of it."""
    return any(one.path == path and finding_fingerprint(path, text, one.body) == one.fingerprint for one in earlier)


def decide_edits(
    earlier: Iterable[PostedFinding], followed: Followed, shown: Mapping[int, str], head_sha: str
) -> dict[int, str]:
    """New words by comment, of those whose mark is missing or too much. `shown`: our comments as GitHub has them now.

    All that a comment says otherwise stays, and the mark goes on naming the commit that it named first.
    """
    edits = {}
    for one in earlier:
        body = None if one.comment_id is None else shown.get(one.comment_id)
        if one.comment_id is None or body is None:
            continue
        is_marked = _MARK.search(body) is not None
        if one.fingerprint in followed.addressed and not is_marked:
            edits[one.comment_id] = f"{body}{render_mark(head_sha)}"
        elif one.fingerprint in followed.standing and is_marked:
            edits[one.comment_id] = remove_mark(body)
    return edits


def keep_shown(earlier: Iterable[PostedFinding], followed: Followed, shown: Mapping[int, str]) -> Followed:
    """Without those whose comment people deleted: it neither stands open nor was addressed."""
    gone = {one.fingerprint for one in earlier if one.comment_id is not None and one.comment_id not in shown}
    return Followed(
        addressed=tuple(one for one in followed.addressed if one not in gone),
        standing=tuple(one for one in followed.standing if one not in gone),
    )


def remove_mark(body: str) -> str:
    """A comment's words without the mark, which are those that it was posted with unless people edited it."""
    return _MARK.sub("", body)


def render_mark(head_sha: str) -> str:
    """What is known, and no more: at this head the line is not there as it was. Which commit changed it, and whether
    that was what the comment asked for, nobody looked at."""
    seen = f"Addressed or overtaken as of `{head_sha[:_SHORT]}`: the line reads otherwise, or is gone."
    return f"\n\n<!-- understudy:addressed:{head_sha} -->\n{seen}"


def _decide_standing(one: PostedFinding, added: Mapping[str, frozenset[str] | None], *, is_cut: bool) -> bool | None:
    if one.path in added:
        texts = added[one.path]
        return None if texts is None else any(_is_of(one, text) for text in texts)
    if is_cut:
        return None
    # The file is gone from the pull request. Where another has the line now, it was only moved there.
    texts_elsewhere = frozenset[str]().union(*(texts for texts in added.values() if texts))
    return one.words is not None and any(finding_words(text, one.body) == one.words for text in texts_elsewhere)


def _is_of(one: PostedFinding, text: str) -> bool:
    return finding_fingerprint(one.path, text, one.body) == one.fingerprint


def _added_texts(file: ChangedFile) -> frozenset[str] | None:
    """Its added lines as fingerprints read them; None where GitHub's diff does not tell."""
    if file.patch is None:
        return frozenset() if file.status == "removed" or file.changes == 0 else None
    try:
        diff = parse_patch(file.path, file.patch)
    except UserError:
        return None
    return frozenset(cut_text(line) for _, line in diff.added())
