"""What people say on a pull request as a whole, and what stands there afterwards."""

from datetime import datetime

from app.rehearsal.standin.administration import Administration
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.pulls import issue_comment_json
from app.rehearsal.standin.state import Comment, IssueComment


class Conversation(Administration):
    """The part of `StandIn` that is about comments on no line."""

    def remark(self, full_name: str, number: int, *, author: str, body: str, at: datetime | None = None) -> int:
        """A person comments on the pull request as a whole; returns the comment's id."""
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            moment = at or self.clock()
            comment = IssueComment(self.new_id(), self.add_user(author), body, moment, moment)
            pull.conversation.append(comment)
            pull.updated_at = max(pull.updated_at, moment)
            self.emit_remark(repository, pull, comment, action="created", sender=comment.author)
            return comment.id

    def edit_remark(self, full_name: str, number: int, comment_id: int, body: str, *, by: str | None = None) -> None:
        """New words for a comment on the whole, by its author or by another who may write."""
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            comment = next(one for one in pull.conversation if one.id == comment_id)
            before, comment.body = comment.body, body
            comment.editor = self.add_user(by) if by else comment.author
            comment.edited_at = comment.updated_at = pull.updated_at = self.clock()
            changes = {"body": {"from": before}}
            self.emit_remark(repository, pull, comment, action="edited", sender=comment.editor, changes=changes)

    def conversation(self, full_name: str, number: int, *, author: str | None = None) -> list[Json]:
        """Comments on the pull request as a whole, in GitHub's JSON."""
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            return [
                issue_comment_json(self.base_url, repository, pull, comment)
                for comment in pull.conversation
                if author in (None, comment.author.login)
            ]

    def reactions(self, full_name: str, number: int, comment_id: int) -> dict[str, int]:
        """How often each reaction stands on a comment of either kind."""
        with self.lock:
            _, pull = self.find_pull(full_name, number)
            said: list[IssueComment | Comment] = [*pull.conversation, *(comment for _, comment in pull.comments())]
            return dict(next(one for one in said if one.id == comment_id).reactions)
