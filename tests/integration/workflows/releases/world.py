"""The same world whenever it is made: the stand-in, its ids and its commits, to which a recorded journal refers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.rehearsal.standin import StandIn, StandInServer
from app.rehearsal.standin.auth import AppKey
from tests.integration.review.printing import PRINTING
from tests.integration.team import BEGINNING, PEOPLE, REPO, SERVICE, Worktree

HOST = "github.test"
_DATES = ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")


@dataclass
class World:
    """`learned` is a merged pull request with something to learn, `reviewed` an open one with a line to comment on."""

    standin: StandIn
    server: StandInServer
    learned: int
    reviewed: int
    told: int

    @property
    def review_id(self) -> str:
        return self.review_id_of(self.reviewed)

    def review_id_of(self, number: int) -> str:
        head = self.standin.find_pull(REPO, number)[1].head_sha
        return f"{HOST}:{self.standin.repository(REPO).id}:{number}:{head}"


@contextmanager
def made_world(folder: Path, key: AppKey | None = None) -> Iterator[World]:
    before = {name: os.environ.get(name) for name in _DATES}
    os.environ.update(dict.fromkeys(_DATES, BEGINNING.isoformat()))
    try:
        standin = StandIn(folder / "github", webhook_secret="a secret of the tests", key=key)
        standin.add_repository(REPO)
        work = Worktree(folder / "work", standin.bare_path(REPO))
        for login, permission in PEOPLE.items():
            standin.add_collaborator(REPO, login, permission)
        with StandInServer(standin) as server, standin.silence():
            yield World(standin, server, *_open_all(standin, work))
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _open_all(standin: StandIn, work: Worktree) -> tuple[int, int, int]:
    first = work.commit("main", {"service.py": SERVICE})
    numbers = []
    for position in range(3):
        sha = work.commit(f"work-{position + 1}", {"service.py": PRINTING, "n.txt": f"{position}\n"}, start=first)
        numbers.append(
            standin.open_pull_request(
                REPO,
                author="dev",
                title="Work",
                head_ref=f"work-{position + 1}",
                head_sha=sha,
                base_sha=first,
                created_at=BEGINNING,
            )
        )
    learned, reviewed, told = numbers
    head = standin.find_pull(REPO, learned)[1].head_sha
    what = {"author": "mara", "path": "service.py", "line": 10, "commit_sha": head, "created_at": BEGINNING}
    standin.comment(REPO, learned, body="Use the logger here, as everywhere.", **what)  # type: ignore[arg-type]
    fixed = PRINTING.replace("print(order)", "log(order)")
    standin.push(REPO, learned, work.commit("work-1", {"service.py": fixed}, start="work-1"))
    standin.merge(REPO, learned, by="max")
    return learned, reviewed, told
