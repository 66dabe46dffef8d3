"""Why a thread is left out before git is asked: wishes first, then what the thread and its pull request say."""

from datetime import UTC, datetime

from app.domain.policies import RepositoryPolicy
from app.github.harvested import Account, HarvestedPull
from app.github.policy_file import PolicyFile
from app.harvest.wishes import decide_before_git, decide_machines, decide_wishes
from tests.unit.harvest.test_threads import a_thread


def a_pull(*, title: str = "Take discounts", opt_out: tuple[str, ...] = (), path: str = "f.py") -> HarvestedPull:
    return HarvestedPull(
        host="github.test",
        repository_id=5,
        repository="acme/store",
        number=7,
        title=title,
        author=Account(login="dev"),
        created_at=datetime(2026, 1, 5, tzinfo=UTC),
        merged=True,
        base_sha="b" * 40,
        head_sha="c" * 40,
        labels=(),
        policy=PolicyFile(policy=RepositoryPolicy(opt_out=opt_out)),
        reviews=(),
        threads=(a_thread(path=path),),
    )


def reason(pull: HarvestedPull) -> str | None:
    noise = decide_before_git(pull, pull.threads[0], {})
    return None if noise is None else noise.reason


def test_a_plain_thread_goes_on_to_git() -> None:
    assert decide_wishes(a_pull()) is None
    assert reason(a_pull()) is None


def test_a_reviewer_who_opted_out_is_left_out() -> None:
    assert reason(a_pull(opt_out=("Mara",))) == "opted_out"


def test_of_an_author_who_opted_out_nothing_is_kept() -> None:
    noise = decide_wishes(a_pull(opt_out=("dev",)))
    assert noise is not None
    assert noise.reason == "opted_out"


def test_the_title_says_what_the_change_is() -> None:
    assert reason(a_pull(title="Merge branch 'main' into work")) == "merge_change"
    assert reason(a_pull(title="Bump pytest from 8.0 to 8.1", path="pyproject.toml")) == "generated_change"
    assert reason(a_pull(title="Bump pytest from 8.0 to 8.1")) is None


def test_one_comment_makes_no_machine() -> None:
    assert decide_machines(a_pull()) == {}
    noise = decide_before_git(a_pull(), a_pull().threads[0], {"mara": "one text 5 times in a row"})
    assert noise is not None
    assert noise.reason == "bot_behaviour"


def test_what_is_said_to_us_is_no_comment_to_learn() -> None:
    pull = a_pull().model_copy(update={"threads": (a_thread({"body": "/understudy why"}),)})
    assert reason(pull) == "command"
