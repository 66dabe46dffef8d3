"""Why a pull request or a thread is left out before git is asked: by wish, by machine, or by its words. Pure."""

from collections.abc import Mapping

from app.domain.commands import parse_command
from app.domain.noise import Noise
from app.github.harvested import HarvestedPull, HarvestedThread
from app.harvest.threads import decide_rejection
from app.screening.behaviour import Said, decide_automatic
from app.screening.choices import decide_opted_out
from app.screening.content import decide_change


def decide_wishes(pull: HarvestedPull) -> Noise | None:
    """Why nothing at all of this pull request is kept: its code is its author's. The label `private` is curation's."""
    return decide_opted_out([pull.author.login], pull.policy.policy.opt_out)


def decide_machines(pull: HarvestedPull) -> Mapping[str, str]:
    """Login → why it comments like a machine, as far as this one pull request shows."""
    roots = (thread.root for thread in pull.threads)
    place = (pull.repository, pull.number)
    return decide_automatic(
        [Said(login=root.author.login, pull=place, body=root.body, created_at=root.created_at) for root in roots]
    )


def decide_before_git(pull: HarvestedPull, thread: HarvestedThread, machines: Mapping[str, str]) -> Noise | None:
    """The first reason why a thread is no Example, by what GitHub says of it and of its pull request."""
    login = thread.root.author.login
    if parse_command(thread.root.body) is not None:
        return Noise(reason="command", detail="it is addressed to Understudy, not to the author")
    noise = decide_opted_out([login], pull.policy.policy.opt_out) or decide_rejection(thread, pull.author.login)
    if noise is None and login in machines:
        noise = Noise(reason="bot_behaviour", detail=f"{login} writes like a machine: {machines[login]}")
    return noise or decide_change(pull.title, thread.path)
