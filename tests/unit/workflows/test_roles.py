"""What a process of each role works on."""

import pytest

from app.domain.errors import UserError
from app.settings import load_settings
from app.workflows.learning import has_to_wait
from app.workflows.runs import Queue, Role


def test_together_the_roles_work_on_every_queue_once() -> None:
    worked = [queue for role in (Role.WEB, Role.WORKER, Role.GPU) for queue in role.queues or ()]
    assert sorted(worked) == sorted(Queue)
    assert Role.ALL.queues is None


def test_one_role_answers_and_one_keeps_the_clock() -> None:
    assert [role for role in Role if role.answers] == [Role.ALL, Role.WEB]
    assert [role for role in Role if role.keeps_clock] == [Role.ALL, Role.WORKER]


def test_a_part_of_the_work_on_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_ROLE", "worker")
    monkeypatch.setenv("UNDERSTUDY_DATABASE_URL", "sqlite:///data/understudy.db")
    with pytest.raises(UserError, match="UNDERSTUDY_ROLE: is for several processes, which need PostgreSQL"):
        load_settings()


def test_of_two_rounds_of_an_installation_the_younger_waits() -> None:
    assert not has_to_wait("learn:7:a", ["learn:7:a"])
    assert not has_to_wait("learn:7:a", ["learn:7:a", "learn:7:b"])
    assert has_to_wait("learn:7:b", ["learn:7:a", "learn:7:b"])
    assert not has_to_wait("test", [])
