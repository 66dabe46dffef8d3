"""Compares posted reviews with the answer key of the held-out pull requests. Pure; the answer key goes nowhere else."""

from collections import defaultdict
from collections.abc import Iterable

from app.domain.base import Record
from app.domain.evals import Figure
from app.domain.intervals import wilson_interval
from app.rehearsal.organisation.hunks import ShownHunk, shown_hunks
from app.rehearsal.organisation.records import PullRequest, Story
from app.rehearsal.organisation.rules import HOUSE_RULES, RULES_BY_ID


class PostedComment(Record):
    """One comment that was posted on a pull request."""

    repository: str
    pull_request: int
    path: str
    line: int
    body: str


class Tally(Record):
    """Violations of some rules: how many there are, were found at the right line, and were called by their name."""

    violations: int
    found: int
    named: int

    @property
    def found_share(self) -> Figure | None:
        return wilson_interval(self.found, self.violations)

    @property
    def named_share(self) -> Figure | None:
        """Of those found, the share whose comment names this rule and no other."""
        return wilson_interval(self.named, self.found)


class DemoScore(Record):
    """What the reviews are worth. `stray` comments stand on a hunk with a violation, but on another line;
    `outside` ones on no hunk with added lines at all. Shares come with Wilson 95 % intervals; None: nothing to measure.
    """

    total: Tally
    lexical: Tally
    contextual: Tally
    by_rule: dict[str, Tally]
    clean_hunks: int
    clean_hunks_commented: int
    clean_pulls: int
    clean_pulls_commented: int
    comments: int
    stray: int
    outside: int
    found: Figure | None
    right_rule: Figure | None
    clean_commented: Figure | None


def named_rules(body: str) -> frozenset[str]:
    """Ids of the rules whose marker the words contain."""
    text = body.lower()
    return frozenset(rule.id for rule in HOUSE_RULES if rule.marker.lower() in text)


def score_reviews(story: Story, posted: Iterable[PostedComment]) -> DemoScore:
    """All held-out pull requests against everything that was posted on them; comments elsewhere are refused.

    Raises:
        ValueError: for a comment on a pull request that is not held out.
    """
    by_pull = {(pull.repository, pull.number): pull for pull in story.held_out}
    comments: dict[tuple[str, int], list[PostedComment]] = defaultdict(list)
    for comment in posted:
        key = (comment.repository, comment.pull_request)
        if key not in by_pull:
            raise ValueError(f"expected comments on held-out pull requests, got one on {key[0]}#{key[1]}")
        comments[key].append(comment)
    return _sum_up([_score_pull(pull, comments[key]) for key, pull in by_pull.items()])


class _PullScore(Record):
    rules: tuple[tuple[str, bool, bool], ...]
    clean_hunks: int
    clean_hunks_commented: int
    comments: int
    stray: int
    outside: int


def _score_pull(pull: PullRequest, comments: list[PostedComment]) -> _PullScore:
    hunks = shown_hunks(pull)
    key = {(one.path, one.line): one.rule for one in pull.violations}
    said = defaultdict(list)
    for comment in comments:
        said[comment.path, comment.line].append(comment.body)
    clean = [hunk for hunk in hunks if not any(_shows(hunk, *place) for place in key)]
    missed = [place for place in said if place not in key for _ in said[place]]
    outside = [place for place in missed if not any(_shows(hunk, *place) for hunk in hunks)]
    on_clean = [place for place in missed if any(_shows(hunk, *place) for hunk in clean)]
    return _PullScore(
        rules=tuple(
            (rule, place in said, any(named_rules(body) == {rule} for body in said[place][:1] if place in said))
            for place, rule in key.items()
        ),
        clean_hunks=len(clean),
        clean_hunks_commented=sum(any(_shows(hunk, *place) for place in said) for hunk in clean),
        comments=len(comments),
        stray=len(missed) - len(outside) - len(on_clean),
        outside=len(outside),
    )


def _shows(hunk: ShownHunk, path: str, line: int) -> bool:
    return hunk.path == path and hunk.first <= line <= hunk.last


def _sum_up(pulls: list[_PullScore]) -> DemoScore:
    outcomes = [outcome for pull in pulls for outcome in pull.rules]
    total = _tally(outcomes)
    contextual = [outcome for outcome in outcomes if RULES_BY_ID[outcome[0]].needs_surroundings]
    clean_pulls = [pull for pull in pulls if not pull.rules]
    hunks, commented = sum(pull.clean_hunks for pull in pulls), sum(pull.clean_hunks_commented for pull in pulls)
    return DemoScore(
        total=total,
        lexical=_tally([outcome for outcome in outcomes if outcome not in contextual]),
        contextual=_tally(contextual),
        by_rule={rule.id: _tally([outcome for outcome in outcomes if outcome[0] == rule.id]) for rule in HOUSE_RULES},
        clean_hunks=hunks,
        clean_hunks_commented=commented,
        clean_pulls=len(clean_pulls),
        clean_pulls_commented=sum(pull.comments > 0 for pull in clean_pulls),
        comments=sum(pull.comments for pull in pulls),
        stray=sum(pull.stray for pull in pulls),
        outside=sum(pull.outside for pull in pulls),
        found=total.found_share,
        right_rule=total.named_share,
        clean_commented=wilson_interval(commented, hunks),
    )


def _tally(outcomes: list[tuple[str, bool, bool]]) -> Tally:
    return Tally(
        violations=len(outcomes),
        found=sum(found for _, found, _ in outcomes),
        named=sum(named for _, _, named in outcomes),
    )
