"""Whether anything of a pull request may be kept: the private label, set and lifted by write access only. Pure."""

from typing import Literal

from app.curation.decision import LabelState, Refusal, decide_refusal
from app.domain.base import Record


class Privacy(Record):
    """`change`: what to record. `refusal`: an act on the label that does not count."""

    is_private: bool
    change: Literal["private", "private_lifted"] | None = None
    refusal: Refusal | None = None


def decide_privacy(state: LabelState, *, is_private: bool) -> Privacy:
    """`is_private`: what is in force. It stays until someone with write access takes the label off.

    Whoever set it may have lost their access since, and people with triage access can take labels off: neither makes
    public again what a maintainer wanted kept out.
    """
    if state.actor is not None and state.actor.may_decide:
        if state.is_on == is_private:
            return Privacy(is_private=is_private)
        return Privacy(is_private=state.is_on, change="private" if state.is_on else "private_lifted")
    if state.is_on == is_private or (state.actor is None and not state.is_on):
        return Privacy(is_private=is_private)
    act = f"{'set' if state.is_on else 'took off'} {state.label}"
    return Privacy(is_private=is_private, refusal=decide_refusal(state.source, state.actor, act))
