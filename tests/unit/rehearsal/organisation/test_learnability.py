"""The answer is in the code, and nowhere else: an honest baseline finds the held-out violations from merged reviews.

TF-IDF and logistic regression over the Locator's own blocks, trained on threads about rules against the other added
lines of the same commits; tested on held-out pull requests, which share no name, number or shape with them.
"""

import subprocess
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from app.domain.diff import FileDiff, parse_patch
from app.domain.lines import LineSite, render_sites
from app.rehearsal.organisation.git import BuiltRepository
from app.rehearsal.organisation.records import PullRequest, Story
from app.rehearsal.organisation.rules import RULES_BY_ID

pytestmark = pytest.mark.slow
Built = dict[str, BuiltRepository]
_BLOCKS = (("text", "char", (2, 5)), *((name, "word", (1, 2)) for name in ("text", "previous", "above", "below")))


@dataclass
class Lines:
    """Sites, the rule broken on each (None: left alone), and the hunk each stands in."""

    sites: list[LineSite] = field(default_factory=list)
    rules: list[str | None] = field(default_factory=list)
    hunks: list[tuple[str, int, str, str]] = field(default_factory=list)

    @property
    def labels(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        return np.array([int(rule is not None) for rule in self.rules])

    @property
    def broken(self) -> list[int]:
        return [index for index, rule in enumerate(self.rules) if rule is not None]


def read_diff(repository: BuiltRepository, number: int, sha: str) -> list[FileDiff]:
    command = ["git", "--git-dir", str(repository.path), "diff", "--no-prefix", repository.bases[number], sha]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    parts = [part for part in text.split("diff --git ")[1:] if "\n@@ " in part]
    return [parse_patch(part.split()[0], part[part.index("\n@@ ") + 1 :]) for part in parts]


def add_lines(lines: Lines, pull: PullRequest, diff: list[FileDiff], key: dict[tuple[str, int], str | None]) -> None:
    """Lines of one commit; a key of None is a comment that teaches nothing about where."""
    for file in diff:
        for hunk in file.hunks:
            for site in render_sites(file.path, hunk):
                place = (file.path, site.line)
                if place not in key or key[place] is not None:
                    lines.sites.append(site)
                    lines.rules.append(key.get(place))
                    lines.hunks.append((pull.repository, pull.number, file.path, hunk.header))


@pytest.fixture(scope="module")
def parts(story: Story, built: Built) -> tuple[Lines, Lines]:
    train, test = Lines(), Lines()
    for pull in story.merged:
        repository = built[pull.repository]
        for index in sorted({thread.commit for thread in pull.threads if thread.kind == "rule"}):
            key = {(t.path, t.line): t.rule for t in pull.threads if t.commit == index}
            if index == max(thread.commit for thread in pull.threads):
                add_lines(train, pull, read_diff(repository, pull.number, repository.commits[pull.number][index]), key)
    for pull in story.held_out:
        repository = built[pull.repository]
        answers: dict[tuple[str, int], str | None] = {(one.path, one.line): one.rule for one in pull.violations}
        add_lines(test, pull, read_diff(repository, pull.number, repository.head(pull.number)), answers)
    return train, test


def read_features(fitted: list[LineSite], read: list[list[LineSite]]) -> list[csr_matrix]:
    columns: list[list[csr_matrix]] = [[] for _ in read]
    for name, analyzer, sizes in _BLOCKS:
        pattern = None if analyzer == "char" else r"[A-Za-z_]\w*|[^\w\s]"
        vectoriser = TfidfVectorizer(
            analyzer=analyzer, ngram_range=sizes, token_pattern=pattern, lowercase=False, sublinear_tf=True, min_df=2
        ).fit([getattr(site, name) for site in fitted])
        for column, sites in zip(columns, read, strict=True):
            column.append(vectoriser.transform([getattr(site, name) for site in sites]))
    return [hstack(column).tocsr() for column in columns]


def test_the_locator_can_find_85_percent_with_at_most_5_percent_of_clean_hunks_alarmed(
    parts: tuple[Lines, Lines],
) -> None:
    train, test = parts
    seen, unseen = read_features(train.sites, [train.sites, test.sites])
    scores = LogisticRegression(C=100, max_iter=2000).fit(seen, train.labels).predict_proba(unseen)[:, 1]
    dirty = {test.hunks[index] for index in test.broken}
    clean = {hunk for hunk in test.hunks if hunk not in dirty}
    peaks = sorted(
        (max(score for score, where in zip(scores, test.hunks, strict=True) if where == hunk) for hunk in clean),
        reverse=True,
    )
    limit = peaks[int(0.05 * len(clean))]
    found = [index for index in test.broken if scores[index] > limit]
    assert len(clean) >= 60
    assert len(found) >= 0.85 * len(test.broken), [test.sites[i].text for i in test.broken if i not in found]
    contextual = [i for i in test.broken if RULES_BY_ID[test.rules[i] or ""].needs_surroundings]
    assert len(set(found) & set(contextual)) >= 0.75 * len(contextual)


def test_the_line_alone_does_not_tell_for_contextual_rules(parts: tuple[Lines, Lines]) -> None:
    """Each text of a contextual violation stands, word for word but for names, in code that nobody objected to."""
    train, _ = parts
    calls = {"audit-first": "ledger.post(", "berth-lease": "= acquire_berth(", "jittered-pauses": "time.sleep(pause)"}
    for rule, call in calls.items():
        said = [found for found, site in zip(train.rules, train.sites, strict=True) if call in site.text]
        assert said.count(rule) >= 10
        assert said.count(None) >= 1.5 * said.count(rule)


def test_the_line_and_its_surroundings_tell_which_rule_is_broken(parts: tuple[Lines, Lines]) -> None:
    train, test = parts
    known, asked = [train.sites[i] for i in train.broken], [test.sites[i] for i in test.broken]
    seen, unseen = read_features(known, [known, asked])
    learned = LogisticRegression(C=100, max_iter=2000).fit(seen, [train.rules[i] for i in train.broken])
    right = learned.predict(unseen) == np.array([test.rules[i] for i in test.broken])
    assert right.mean() >= 0.85
