"""A team that gives commands: heard and obeyed as a webhook would have it, on stand-in GitHub, SQLite and engine."""

from dataclasses import dataclass, field
from typing import Any

from app.domain.commands import parse_command
from app.domain.findings import Finding, finding_fingerprint, finding_words
from app.review.messages import render_comment
from app.store.database import reading, writing
from app.store.reviews import load_review, save_findings, save_posted_comments, save_review
from app.store.tables import ReviewRow
from app.workflows import engine
from app.workflows.runs import Queue, State
from tests.integration.team import REPO, SERVICE, Team
from tests.waiting import eventually

CHANGED = SERVICE.replace("    total = 0\n", "    total = 0\n    print(order)\n")
LINE = CHANGED.split("\n").index("    print(order)") + 1
WORDS = "Please log through the logger, never print."


@dataclass
class Commanded:
    team: Team
    _runs: list[str] = field(default_factory=list)

    def hear(self, node_id: str, *, waits: bool = True) -> bool:
        """What a webhook about the comment starts; True when the command was acknowledged, and then obeyed."""
        workflow_id = f"hear:{len(self._runs)}:{node_id}"
        self._runs.append(workflow_id)
        engine.start("hear", workflow_id, self.team.installation_id, node_id, queue=Queue.INTAKE)
        heard = bool(engine.wait(workflow_id, 120))
        if heard and waits:
            engine.wait(f"obey:{workflow_id}", 120)
        return heard

    def remark(self, number: int, body: str, *, author: str = "mara") -> int:
        """Say it on the pull request as a whole and let it be heard; the comment's id."""
        said = self.team.standin.remark(REPO, number, author=author, body=body)
        self.hear(f"IC_{said}")
        return said

    def reply(self, number: int, root: int, body: str, *, author: str = "mara") -> int:
        said = self.team.reply(number, root, body, author=author)
        self.hear(f"PRRC_{said}")
        return said

    def eyes(self, number: int, comment: int) -> int:
        return self.team.standin.reactions(REPO, number, comment).get("eyes", 0)

    def review_id(self, number: int) -> str:
        head = self.team.standin.find_pull(REPO, number)[1].head_sha
        return f"{self.team.services.host}:{self.team.standin.repository(REPO).id}:{number}:{head}"

    def state(self, number: int) -> str | None:
        with reading(self.team.services.database) as session:
            row = load_review(session, self.team.installation_id, self.review_id(number))
            return None if row is None else row.state

    def settle(self) -> None:
        """All that was asked for is done."""
        waiting = (State.ENQUEUED, State.PENDING)
        eventually(lambda: not engine.list_runs(waiting), timeout_seconds=120)

    def checks(self, number: int) -> list[dict[str, Any]]:
        return self.team.standin.check_runs(REPO, self.team.standin.find_pull(REPO, number)[1].head_sha)

    def posted(self, *, words: str = WORDS, adapter: str = "7--v1") -> tuple[int, int, Finding]:
        """A pull request with a comment of ours on its new line, as a review leaves it: number, comment and Finding."""
        number, sha = self.team.open({"service.py": CHANGED})
        text = CHANGED.split("\n")[LINE - 1]
        finding = Finding(
            repository=REPO,
            pull_request=number,
            path="service.py",
            line=LINE,
            body=words,
            severity="minor",
            fingerprint=finding_fingerprint("service.py", text, words),
            words=finding_words(text, words),
            locator_score=0.83,
            acceptance_score=0.41,
            adapter=adapter,
        )
        bot = f"{self.team.standin.slug}[bot]"
        comment = self.team.say(number, sha, LINE, render_comment(finding), author=bot)
        review_id = self.review_id(number)
        with writing(self.team.services.database) as session:
            row = ReviewRow(
                id=review_id,
                installation_id=self.team.installation_id,
                repository=REPO,
                pull_request=number,
                head_sha=sha,
                state="posted",
                adapter=adapter,
            )
            save_review(session, row)
            save_findings(session, review_id, (finding,))
            save_posted_comments(session, review_id, {finding.fingerprint: comment})
        return number, comment, finding


def key_of(body: str) -> str:
    command = parse_command(body)
    assert command is not None
    return command.key
