"""Words that teach nothing, and what is taken out of words: commit messages, descriptions, docstrings. Pure.

A commit message is kept when it says something that its ticket, its author's habits or a tool did not say for it.
"""

import re

from app.domain.noise import Noise

#: A docstring shorter than this repeats the name of its function.
DOCSTRING_WORDS = 4
#: Characters past which a message is a pasted log. Asked for before any pattern is tried: strangers write messages, and
#: a pattern keeps every other thread of the process waiting for as long as it takes.
LONGEST_MESSAGE = 16_000

#: Lines at the end of a message that tools and customs put there: who, not what.
_TRAILER = re.compile(
    r"^(([\w-]+-(by|to|id|on|with)|cc|bug|change|closes|fixes|resolves|refs?|see[- ]also|pull[- ]request|git-svn-id"
    r"|reviewed[- ]by|patch set|gerrit|link|assisted-by|generated-by|note to reviewers|pr-url|relnotes?|tested): ?\S.*"
    r"|\(cherry[ -]picked from commit [0-9a-f]+\)|🤖 generated with .*|-{3,})$",
    re.IGNORECASE,
)
#: Squashed messages keep the trailers of each commit in their midst.
_PERSON = re.compile(r"^\s*[\w-]+: .*<[^<>@]*@[^<>]*>$")
_POINT = re.compile(r"^\s*[*-] ")
_WORD = re.compile(r"[^\W\d_]{2,}")
_TICKET = re.compile(
    r"(?<!\w)(\w[\w.-]{0,100}+/[\w.-]{1,100}+)?#\d+"
    r"|\b[A-Z][A-Z0-9]+-\d+\b|\bgh-?\d+\b|https?://\S+|\b(issue|bug|ticket) \d+\b",
    re.IGNORECASE,
)
_MERGE = re.compile(
    r"^(merged? (branch|pull request|remote|tag|commit|of|from|in|with|master|main|upstream)\b|merge$)", re.IGNORECASE
)
_REVERT = re.compile(r"^(revert|reapply) \".*\"|^this reverts commit [0-9a-f]+", re.IGNORECASE | re.MULTILINE)
_VERSION = r"v?\d+(\.[\w-]+)+"
_BUMP = re.compile(
    rf"\b(bump(s|ed|ing)?|upgrade|update)\b.*\b(from|to) {_VERSION}"
    r"|^(\S+: ?)?bump(s|ed|ing)?\b.*(version|\bdep|\bgroup|\d)"
    rf"|^(\W*(prepare|preparing|release|releasing|version|cut|tag|set version|start)\b[^.]*?){_VERSION}\W*$"
    rf"|^{_VERSION}(\s+(release|beta|alpha|rc)\w*)?\W*$|^\[maven-release-plugin\]"
    r"|^\S*(prepare|next) (for )?(the )?(next )?(development|release)( iteration| version| cycle)?\W*$",
    re.IGNORECASE,
)
#: A message of these words only could stand under any commit.
_SAYS_NOTHING = frozenset(
    [
        "a",
        "about",
        "add",
        "added",
        "adding",
        "address",
        "addressed",
        "again",
        "all",
        "and",
        "another",
        "applied",
        "apply",
        "as",
        "auto",
        "back",
        "better",
        "bit",
        "broken",
        "bug",
        "bugfix",
        "bugfixes",
        "bugs",
        "build",
        "change",
        "changed",
        "changelog",
        "changes",
        "check",
        "checkpoint",
        "chore",
        "ci",
        "clean",
        "cleaning",
        "cleanup",
        "code",
        "comment",
        "comments",
        "commit",
        "correct",
        "corrected",
        "correction",
        "corrections",
        "doc",
        "docs",
        "done",
        "error",
        "errors",
        "feedback",
        "file",
        "files",
        "final",
        "first",
        "fix",
        "fixed",
        "fixes",
        "fixing",
        "fixup",
        "for",
        "format",
        "formatted",
        "formatting",
        "from",
        "further",
        "hotfix",
        "improve",
        "improved",
        "improvement",
        "improvements",
        "in",
        "init",
        "initial",
        "into",
        "issue",
        "issues",
        "it",
        "last",
        "lint",
        "linter",
        "linting",
        "little",
        "maybe",
        "merge",
        "minor",
        "misc",
        "miscellaneous",
        "missed",
        "missing",
        "more",
        "my",
        "new",
        "nit",
        "nits",
        "now",
        "of",
        "on",
        "one",
        "oops",
        "optimize",
        "pep",
        "per",
        "polish",
        "pr",
        "pull",
        "ready",
        "refactor",
        "refactored",
        "refactoring",
        "remaining",
        "remarks",
        "request",
        "resolve",
        "resolved",
        "review",
        "reviewed",
        "reviewer",
        "revision",
        "save",
        "section",
        "see",
        "several",
        "simple",
        "small",
        "some",
        "still",
        "stuff",
        "style",
        "suggested",
        "suggestion",
        "suggestions",
        "temp",
        "temporary",
        "test",
        "tests",
        "that",
        "the",
        "things",
        "this",
        "to",
        "try",
        "tweak",
        "tweaked",
        "tweaks",
        "typo",
        "typos",
        "unused",
        "up",
        "update",
        "updated",
        "updates",
        "updating",
        "various",
        "warning",
        "warnings",
        "whitespace",
        "whoops",
        "wip",
        "with",
        "work",
        "working",
    ]
)
#: What stands before the @ is of no interest, and to look for it first takes the square of the text's length.
_ADDRESS = re.compile(r"(?<=[\w.+-])@[\w-]{1,63}(\.[\w-]{1,63}){0,8}\.[a-z]{2,63}\b", re.IGNORECASE)
_TAG_LINE = re.compile(r"^\s*(@\w+|:\w+[^:]*:|>>>|\{@\w+\}).*$", re.MULTILINE)
_HIDDEN = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_CHECKBOX = re.compile(r"^\s*[-*] \[[ xX]\].*\n?", re.MULTILINE)
_TODO = re.compile(r"^\W*(todo|fixme|xxx|tbd|\{@inheritdoc\}|inheritdoc|non-javadoc)\b", re.IGNORECASE)


def render_words(text: str) -> str:
    """A message without its trailers and the spaces at its line ends; paragraphs stay."""
    subject, *rest = [line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n")]
    lines = [subject, *(line for line in rest if not _PERSON.match(line) and not _is_empty_point(line))]
    while lines and (not lines[-1] or _TRAILER.match(lines[-1])):
        lines.pop()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _is_empty_point(line: str) -> bool:
    """`* wip`: the list of a squash merge keeps the message of every commit."""
    return _POINT.match(line) is not None and not {word.lower() for word in _WORD.findall(line)} - _SAYS_NOTHING


def render_description(body: str) -> str:
    """The body of a pull request without what its template says: HTML comments and check lists."""
    return render_words(_CHECKBOX.sub("", _HIDDEN.sub("", body)))


def decide_length(*parts: str) -> Noise | None:
    """Why words as they were written are not read at all. Asked before they are rendered."""
    if sum(map(len, parts)) <= LONGEST_MESSAGE:
        return None
    return Noise(reason="too_long", detail=f"more than {LONGEST_MESSAGE} characters are no message")


def decide_message_noise(text: str) -> Noise | None:
    """Why a message, already rendered, teaches nothing, None when it may."""
    subject = text.partition("\n")[0]
    if not text:
        return Noise(reason="empty_message", detail="nothing is written besides trailers")
    if _MERGE.match(subject):
        return Noise(reason="merge", detail="git or GitHub wrote the message of a merge")
    if _REVERT.search(text):
        return Noise(reason="revert", detail="git wrote the message of a revert")
    if _BUMP.search(subject):
        return Noise(reason="version_bump", detail="the change is another version number")
    if _ADDRESS.search(text):
        return Noise(reason="personal_data", detail="an e-mail address is written in the message")
    return _decide_saying(text)


def _decide_saying(text: str) -> Noise | None:
    words = {word.lower() for word in _WORD.findall(_TICKET.sub(" ", text))}
    if words - _SAYS_NOTHING:
        return None
    if _TICKET.search(text) and len(words) <= 2:
        return Noise(reason="ticket_only", detail="the message names a ticket and nothing else")
    return Noise(reason="says_nothing", detail="the message could stand under any commit")


def decide_docstring_noise(text: str) -> Noise | None:
    """Why the words of a docstring teach nothing, None when they may."""
    if _TODO.match(text):
        return Noise(reason="says_nothing", detail="the docstring is a note to write one, or points to another")
    if len(_WORD.findall(_TAG_LINE.sub(" ", text))) < DOCSTRING_WORDS:
        return Noise(reason="too_short", detail=f"fewer than {DOCSTRING_WORDS} words beside its tags")
    if _ADDRESS.search(text):
        return Noise(reason="personal_data", detail="an e-mail address is written in the docstring")
    return None
