"""What stands beside the adapter's words in the demo answers the very lines the service commented on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.diff import parse_patch
from app.domain.errors import UserError
from app.domain.examples import Evidence
from app.domain.prompt import Message, render_completion, render_prompt
from app.domain.snapshots import CommentRow
from app.rehearsal.demo.baselines import pick_nearest, render_questions
from app.rehearsal.organisation.score import PostedComment
from app.rehearsal.standin import StandIn
from tests.integration.team import REPO, SERVICE, Worktree

_CHANGED = SERVICE.replace("    total = 0\n", "    total = float(0)\n")
_LINE = 9


def _question(path: str, line: str) -> tuple[Message, ...]:
    return render_prompt(path, parse_patch(path, f"@@ -1,1 +1,2 @@\n def run():\n+{line}\n").hunks[0], 2)


def _row(path: str, line: str, comment: Message) -> str:
    row = CommentRow(
        example="ex1:0",
        repository=REPO,
        pull_request=1,
        created_at=datetime(2026, 1, 5, tzinfo=UTC),
        path=path,
        line=2,
        reviewer="mara",
        prompt=_question(path, line),
        completion=(comment,),
        weight=1.0,
        evidence=Evidence.LINE,
    )
    return row.model_dump_json() + "\n"


def test_the_nearest_past_comment_is_that_of_the_most_similar_line(tmp_path: Path) -> None:
    comments = tmp_path / "comments.jsonl"
    broken = Message(role="assistant", content='{"comment": ')
    past = [
        _row("pay.py", "    price = float(cents)", render_completion("Money is never a float.")),
        _row("net.py", "    reply = http.get(url)", render_completion("Give it a timeout.")),
        _row("log.py", "    print('paid')", broken),
    ]
    comments.write_text("".join(past), encoding="utf-8")
    asked = [
        _question("fetch.py", "    answer = http.get(address)"),
        _question("bill.py", "    total = float(amount)"),
        _question("log.py", "    print('unpaid')"),
    ]
    assert pick_nearest(comments, asked) == ["Give it a timeout.", "Money is never a float.", ""]


@pytest.fixture
def standin(tmp_path: Path) -> StandIn:
    """With one pull request that changes one line of service.py."""
    made = StandIn(tmp_path / "github", webhook_secret="a secret of the tests")
    made.add_repository(REPO)
    work = Worktree(tmp_path / "work", made.bare_path(REPO))
    first = work.commit("main", {"service.py": SERVICE})
    head = work.commit("change", {"service.py": _CHANGED}, start=first)
    with made.silence():
        made.open_pull_request(REPO, author="dev", title="Work", head_ref="change", head_sha=head, base_sha=first)
    return made


def _posted(line: int) -> PostedComment:
    return PostedComment(repository=REPO, pull_request=1, path="service.py", line=line, body="Money is never a float.")


def test_a_question_is_the_prompt_of_the_posted_line(standin: StandIn) -> None:
    (question,) = render_questions(standin, [_posted(_LINE)])
    assert [message.role for message in question] == ["system", "user"]
    shown = question[-1].content.splitlines()
    assert shown[0] == "service.py"
    assert [row for row in shown if row.startswith(">")] == [">+    total = float(0)"]


def test_a_comment_outside_the_diff_is_named(standin: StandIn) -> None:
    with pytest.raises(UserError, match=r"outside the diff: service\.py:1$"):
        render_questions(standin, [_posted(1)])
