"""Promotion, rollback and the loss of vLLM as a review sees them: real vLLM, jobs, registry and stand-in GitHub."""

import logging
import os
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from app.domain.prompt import Message
from app.store.database import writing
from app.store.rounds import move_pointer
from app.workflows import operating, reviewing
from app.workflows.reviewers import find_fronts, load_reviewer
from tests.integration.review.reviewed import GUILTY, Outcome, ReviewedTeam, promote_adapter
from tests.integration.team import Team
from tests.serving_fixture import ServingProcess, end, find_server

pytestmark = pytest.mark.slow

ASKED = (Message(role="user", content="a.py\n>+x = eval(y)"),)
#: Seconds that a promotion and a rollback may take until the first answer.
PROMOTED_WITHIN, ROLLED_BACK_WITHIN = 30, 60
_log = logging.getLogger(__name__)
#: importing it declares the workflow
_DECLARED = reviewing.review


@pytest.fixture(scope="module")
def reviewed(
    team: Team, serving: ServingProcess, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory
) -> ReviewedTeam:
    team.services.serving.symlink_to(serving.state)
    return ReviewedTeam(team, promote_adapter(team, tiny_base, tmp_path_factory.mktemp("version") / "version"))


async def _first_answer(installation_id: int) -> tuple[str, float]:
    """Who reviewed, and the seconds until its first answer, as a review asks: from the pointer on."""
    began = time.monotonic()
    reviewer = await load_reviewer(installation_id)
    assert reviewer is not None
    await reviewer.writer.write(ASKED)
    return reviewer.adapter, time.monotonic() - began


async def test_promotion_and_rollback_are_answered_by_the_right_adapter_in_time(
    reviewed: ReviewedTeam, tiny_base: Path, tmp_path: Path
) -> None:
    installation = reviewed.team.installation_id
    first = reviewed.adapter
    await _first_answer(installation)
    second = promote_adapter(reviewed.team, tiny_base, tmp_path / "second", seed=2)
    with writing(reviewed.team.services.database) as session:
        move_pointer(session, installation, first)
    await find_fronts(second, tmp_path / "second")  # a learning round loads and proves before it moves the pointer
    with writing(reviewed.team.services.database) as session:
        move_pointer(session, installation, second)
    promoted, seconds_of_promotion = await _first_answer(installation)
    began = time.monotonic()
    operating.roll_back(installation)
    restored, _ = await _first_answer(installation)
    seconds_of_rollback = time.monotonic() - began
    assert (promoted, restored) == (second, first)
    assert seconds_of_promotion < PROMOTED_WITHIN
    assert seconds_of_rollback < ROLLED_BACK_WITHIN
    _log.info("to the first answer: promotion %.2f s, rollback %.2f s", seconds_of_promotion, seconds_of_rollback)


def test_a_kill_of_vllm_in_mid_review_loses_nothing(reviewed: ReviewedTeam, serving: ServingProcess) -> None:
    number, _ = reviewed.team.open({"service.py": GUILTY})
    outcomes: list[Outcome] = []
    os.kill(find_server(serving.state), signal.SIGSTOP)  # its tiny model could have answered between two looks
    reviewing = threading.Thread(target=lambda: outcomes.append(reviewed.review(number, seconds=400)))
    reviewing.start()
    _wait_for_answering(serving)
    end(find_server(serving.state))
    reviewing.join()
    (outcome,) = outcomes
    assert outcome.state == "posted"
    assert [review["state"] for review in outcome.reviews] == ["COMMENTED"]
    assert [check["conclusion"] for check in outcome.checks] == ["success"]
    assert len(outcome.reviews[0]["comments"]) == 1


def _wait_for_answering(serving: ServingProcess) -> None:
    headers = {"authorization": f"Bearer {serving.control_key}"}
    deadline = time.monotonic() + 120
    while httpx.get(f"{serving.url}/control/status", headers=headers).json()["answering"] == 0:
        assert time.monotonic() < deadline, "the review asked nothing"
        time.sleep(0.05)
