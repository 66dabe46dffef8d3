"""The description of a merged pull request beside its diff: one WrittenExample, read at the harvest."""

import asyncio
from datetime import datetime

from app.curation.decision import Candidate
from app.curation.words import decide_described_since
from app.domain.written import WrittenExample
from app.github.git import ensure_mirror, lock_mirror
from app.github.harvested import HarvestedPull
from app.github.listed import Timeline
from app.history.deciding import PullRequestWords
from app.history.reading import read_pull
from app.screening.choices import decide_opted_out
from app.workflows.context import services


async def read_description(pull: HarvestedPull, base_sha: str | None) -> WrittenExample | None:
    """From the mirror, after the pull request's commits were fetched; no request. None when nothing is learned of it.

    `base_sha`: the merge base before the merge.
    """
    if base_sha is None or decide_opted_out([pull.author.login], pull.policy.policy.opt_out) is not None:
        return None
    words = PullRequestWords(pull=pull, body=pull.body, base_sha=base_sha)
    return await asyncio.to_thread(_read, words)


def _read(words: PullRequestWords) -> WrittenExample | None:
    mirror = ensure_mirror(services().data / "mirrors", words.pull.host, words.pull.repository_id)
    with lock_mirror(mirror):
        found = read_pull(mirror, words)
    return found if isinstance(found, WrittenExample) else None


def decide_candidate(
    example: WrittenExample, pull: HarvestedPull, head_since: datetime, timeline: Timeline
) -> Candidate:
    """The labels of the pull request decide over its description, or the owners' word does. Pure."""
    return Candidate(
        example_hash=example.hash,
        since=decide_described_since(pull, head_since, timeline),
        is_open_history=pull.policy.policy.is_history_open,
    )
