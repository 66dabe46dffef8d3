"""Reading the two labels of a pull request: whether they are on, who is behind them, what that person may do now."""

from app.curation.decision import APPROVE_LABEL, REJECT_LABEL, Actor, LabelState
from app.domain.base import Record
from app.github.client import GitHubClient, LabelEvent


class ReadLabels(Record):
    """`sequence` counts the acts on the two labels so far: the same state reached again is another act."""

    states: tuple[LabelState, LabelState]
    sequence: int


async def fetch_label_states(client: GitHubClient, repository: str, number: int) -> ReadLabels:
    """Two requests, and one more for each person behind a label."""
    present = await client.fetch_labels(repository, number)
    events = await client.fetch_label_events(repository, number)
    acts = [event for event in events if event.label in (APPROVE_LABEL, REJECT_LABEL)]
    approve = await _state(client, repository, APPROVE_LABEL, present, acts)
    reject = await _state(client, repository, REJECT_LABEL, present, acts)
    return ReadLabels(states=(approve, reject), sequence=len(acts))


async def _state(
    client: GitHubClient, repository: str, label: str, present: tuple[str, ...], acts: list[LabelEvent]
) -> LabelState:
    is_on = label in present
    act = "labeled" if is_on else "unlabeled"
    by = next((event.actor for event in reversed(acts) if event.label == label and event.act == act), None)
    if by is None:
        return LabelState(label=label, is_on=is_on, actor=None)
    role = await client.fetch_permission(repository, by.login) if by.kind == "User" else "none"
    return LabelState(label=label, is_on=is_on, actor=Actor(login=by.login, kind=by.kind, role=role))
