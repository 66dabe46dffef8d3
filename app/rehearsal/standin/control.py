"""`StandIn`: what people do on the stand-in GitHub. The App does its part over HTTP."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from app.domain.diff import Side
from app.domain.errors import UserError
from app.rehearsal.standin import reviewing
from app.rehearsal.standin.auth import AppKey
from app.rehearsal.standin.conversation import Conversation
from app.rehearsal.standin.git import Signature
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.pulls import comment_json, review_json
from app.rehearsal.standin.render.repositories import label_json
from app.rehearsal.standin.site import comment_of, runs_of, thread_of
from app.rehearsal.standin.state import (
    Comment,
    Label,
    PullRequest,
    Reaction,
    Repository,
    Review,
    ReviewState,
    Thread,
    utc_now,
)


class StandIn(Conversation):
    """A GitHub with one App and one installation over real bare repositories under `root`.

    Every public method takes the one lock, so tests, the demo and the HTTP server may call from any thread. Users are
    made on first mention. Acts inside `with standin.silence():` happen without webhooks. Moments default to `clock()`.
    """

    def __init__(
        self,
        root: Path,
        *,
        webhook_secret: str,
        clock: Callable[[], datetime] = utc_now,
        key: AppKey | None = None,
    ) -> None:
        """Without a `key` a new one is made."""
        super().__init__(root, webhook_secret=webhook_secret, clock=clock, key=key or AppKey())

    @property
    def private_key_pem(self) -> str:
        return self.key.pem

    def browse_as(self, login: str | None) -> None:
        """Who sits before the browser and lets the App know who they are; with None nobody does."""
        with self.lock:
            self.people.browsing = None if login is None else self.add_user(login)

    # -- pull requests --

    def open_pull_request(
        self,
        full_name: str,
        *,
        author: str,
        title: str,
        body: str | None = "",
        head_ref: str | None = None,
        head_sha: str | None = None,
        base_sha: str | None = None,
        number: int | None = None,
        created_at: datetime | None = None,
        draft: bool = False,
        emit: bool = True,
    ) -> int:
        """Open a pull request of a branch or a commit against the default branch; returns its number."""
        with self.lock:
            repository = self.repository(full_name)
            chosen = number or max(repository.pulls, default=0) + 1
            if chosen in repository.pulls:
                raise UserError(f"{full_name}#{chosen} exists already")
            head = self.known_commit(repository, head_sha or f"refs/heads/{head_ref}")
            at = created_at or self.clock()
            pull = PullRequest(
                id=self.new_id(),
                number=chosen,
                author=self.add_user(author),
                title=title,
                body=body,
                head_ref=head_ref or f"pull-{chosen}",
                head_sha=head,
                base_ref=repository.default_branch,
                base_sha=self.known_commit(repository, base_sha or f"refs/heads/{repository.default_branch}"),
                created_at=at,
                updated_at=at,
                draft=draft,
            )
            repository.pulls[chosen] = pull
            repository.git.set_ref(f"refs/pull/{chosen}/head", head)
            if emit:
                self.emit_pull(repository, pull, "opened", pull.author)
            return chosen

    def push(
        self,
        full_name: str,
        number: int,
        head_sha: str,
        *,
        force: bool = False,
        at: datetime | None = None,
    ) -> None:
        """Move the head of a pull request. Only a forced push may leave commits behind."""
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            head, before = self.known_commit(repository, head_sha), pull.head_sha
            if not force and repository.git.merge_base(before, head) != before:
                raise UserError(f"{head_sha} does not contain {before}: a push that drops commits needs force=True")
            repository.git.set_ref(f"refs/pull/{number}/head", head)
            pull.head_sha, pull.updated_at = head, at or self.clock()
            if force:
                self.note(pull, "head_ref_force_pushed", pull.author, pull.updated_at, commit_sha=head)
            self.emit_pull(repository, pull, "synchronize", pull.author, before=before, after=head)

    def ready_for_review(self, full_name: str, number: int) -> None:
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            pull.draft, pull.updated_at = False, self.clock()
            self.note(pull, "ready_for_review", pull.author, pull.updated_at)
            self.emit_pull(repository, pull, "ready_for_review", pull.author)

    def merge(
        self, full_name: str, number: int, *, by: str, at: datetime | None = None, squashed: str | None = None
    ) -> None:
        """Merge with a merge commit, or squashed under the title `squashed`. A recorded head that conflicts by now is
        taken as merged where it stands."""
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            if pull.state == "closed":
                raise UserError(f"{full_name}#{number} is closed already")
            moment, person = at or self.clock(), self.add_user(by)
            who = Signature(person.login, f"{person.login}@users.noreply.invalid", moment)
            title = f"Merge pull request #{number} from {repository.owner.login}/{pull.head_ref}"
            before = self.known_commit(repository, f"refs/heads/{pull.base_ref}")
            pull.merge_commit_sha = repository.git.merge(
                pull.base_ref, pull.head_sha, squashed or title, who, is_squash=squashed is not None
            )
            pull.merged_at = pull.closed_at = pull.updated_at = moment
            pull.merged_by = person
            self.note(pull, "merged", person, moment, commit_sha=pull.merge_commit_sha)
            self.note(pull, "closed", person, moment)
            self.emit_pull(repository, pull, "closed", person)
            self.emit_push(repository, before, pull.merge_commit_sha, person)

    def close(self, full_name: str, number: int, *, by: str, at: datetime | None = None) -> None:
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            pull.closed_at = pull.updated_at = at or self.clock()
            self.note(pull, "closed", self.add_user(by), pull.closed_at)
            self.emit_pull(repository, pull, "closed", self.add_user(by))

    def reopen(self, full_name: str, number: int, *, by: str) -> None:
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            if pull.merged_at or pull.state == "open":
                raise UserError(f"{full_name}#{number}: only a closed, unmerged pull request can be reopened")
            pull.closed_at, pull.updated_at = None, self.clock()
            self.note(pull, "reopened", self.add_user(by), pull.updated_at)
            self.emit_pull(repository, pull, "reopened", self.add_user(by))

    def label(self, full_name: str, number: int, name: str, *, by: str) -> None:
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            label = self.ensure_label(repository, name, self.add_user(by))
            if label not in pull.labels:
                pull.labels.append(label)
                self._labelled(repository, pull, label, "labeled", by)

    def unlabel(self, full_name: str, number: int, name: str, *, by: str) -> None:
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            label = next((label for label in pull.labels if label.name == name), None)
            if label is not None:
                pull.labels.remove(label)
                self._labelled(repository, pull, label, "unlabeled", by)

    # -- reviews --

    def comment(
        self,
        full_name: str,
        number: int,
        *,
        author: str,
        path: str,
        line: int,
        body: str,
        commit_sha: str,
        side: Side = "RIGHT",
        start_line: int | None = None,
        created_at: datetime | None = None,
        comment_id: int | None = None,
        in_reply_to: int | None = None,
        diff_hunk: str | None = None,
    ) -> int:
        """A person comments on a line, or answers a thread with `in_reply_to`; returns the comment's id.

        The line must be in the diff of `commit_sha`, except for recorded comments, which bring their own `diff_hunk`:
        their commit may be gone since.
        """
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            moment = created_at or self.clock()
            thread = thread_of(pull, in_reply_to) if in_reply_to else None
            if thread is None:
                found = reviewing.anchor_for_person(
                    repository, pull, path=path, line=line, side=side, commit_sha=commit_sha, diff_hunk=diff_hunk
                )
                thread = Thread(self.new_id(), path, line, side, start_line, side if start_line else None, [])
                pull.threads.append(thread)
            else:
                found = reviewing.anchor_of(thread)
            review = self._reviewed(pull, "COMMENTED", author, commit_sha, moment)
            comment = Comment(
                id=comment_id or self.new_id(),
                review=review,
                author=review.author,
                body=body,
                commit_sha=commit_sha,
                diff_hunk=found.diff_hunk,
                original_position=found.position,
                created_at=moment,
                updated_at=moment,
                in_reply_to=in_reply_to and thread.root.id,
            )
            thread.comments.append(comment)
            self.emit_review(repository, pull, review)
            return comment.id

    def edit_comment(
        self,
        full_name: str,
        number: int,
        comment_id: int,
        body: str,
        *,
        by: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """New words for a comment, by its author or, as people with write access may, by another."""
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            thread, comment = thread_of(pull, comment_id), comment_of(pull, comment_id)
            who = self.add_user(by) if by else comment.author
            before, comment.body, comment.editor = comment.body, body, who
            comment.edited_at = comment.updated_at = at or self.clock()
            changes = {"body": {"from": before}}
            self.emit_comment(repository, pull, thread, comment, action="edited", sender=who, changes=changes)

    def delete_comment(self, full_name: str, number: int, comment_id: int, *, by: str | None = None) -> None:
        """A comment goes; a thread goes with its last one."""
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            thread, comment = thread_of(pull, comment_id), comment_of(pull, comment_id)
            who = self.add_user(by) if by else comment.author
            self.emit_comment(repository, pull, thread, comment, action="deleted", sender=who)
            thread.comments.remove(comment)
            if not thread.comments:
                pull.threads.remove(thread)

    def edit_pull_request(
        self, full_name: str, number: int, *, title: str | None = None, body: str | None = None
    ) -> None:
        """Its author changes what it says of itself, now."""
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            changes: dict[str, object] = {}
            pull.updated_at = self.clock()
            if title is not None:
                changes["title"], pull.title = {"from": pull.title}, title
                self.note(pull, "renamed", pull.author, pull.updated_at)
            if body is not None:
                changes["body"], pull.body, pull.edited_at = {"from": pull.body}, body, pull.updated_at
            self.emit_pull(repository, pull, "edited", pull.author, changes=changes)

    def approve(
        self,
        full_name: str,
        number: int,
        *,
        author: str,
        commit_sha: str,
        body: str = "",
        at: datetime | None = None,
    ) -> int:
        """A person approves one commit; returns the review's id."""
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            review = self._reviewed(pull, "APPROVED", author, commit_sha, at or self.clock())
            review.body = body
            self.emit_review(repository, pull, review)
            return review.id

    def resolve_thread(self, full_name: str, number: int, comment_id: int, *, by: str) -> None:
        """Resolve the thread that a comment belongs to."""
        self._set_resolved(full_name, number, comment_id, by, resolved=True)

    def unresolve_thread(self, full_name: str, number: int, comment_id: int, *, by: str) -> None:
        self._set_resolved(full_name, number, comment_id, by, resolved=False)

    def react(
        self, full_name: str, number: int, comment_id: int, reaction: str, *, times: int = 1, by: str | None = None
    ) -> None:
        """Reactions by REST name (`+1`, `-1`, `heart`, …), of one person or of as many passers-by. GitHub sends no
        webhook for them."""
        with self.lock:
            comment = comment_of(self.find_pull(full_name, number)[1], comment_id)
            comment.reactions[reaction] += times
            for at in range(times):
                who = self.add_user(by or f"passer-by-{at + 1}")
                comment.reacted.append(Reaction(self.new_id(), who, reaction))

    def minimize(self, full_name: str, number: int, comment_id: int) -> None:
        """Hide a comment, as people do with spam and with what is settled. No webhook tells of it either."""
        with self.lock:
            comment_of(self.find_pull(full_name, number)[1], comment_id).minimized = True

    # -- what the App left behind --

    def reviews(self, full_name: str, number: int, *, author: str | None = None) -> list[Json]:
        """Reviews in GitHub's JSON, each with its `comments`; pending ones are among them."""
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            rows = pull.comments(pending=True)
            return [
                review_json(self.base_url, repository, pull, review)
                | {
                    "comments": [
                        comment_json(self.base_url, repository, pull, thread, comment)
                        for thread, comment in rows
                        if comment.review is review
                    ]
                }
                for review in pull.reviews
                if author is None or review.author.login == author
            ]

    def review_comments(self, full_name: str, number: int, *, author: str | None = None) -> list[Json]:
        """Comments on lines and the replies to them, in GitHub's JSON."""
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            return [
                comment_json(self.base_url, repository, pull, thread, comment)
                for thread, comment in pull.comments()
                if author in (None, comment.author.login)
            ]

    def annotations(self, full_name: str, head_sha: str) -> list[Json]:
        """Those of every check run of a commit."""
        with self.lock:
            return [one for run in runs_of(self.repository(full_name), head_sha) for one in run.annotations]

    def check_runs(self, full_name: str, head_sha: str) -> list[Json]:
        with self.lock:
            repository = self.repository(full_name)
            return [self.check_run_json(repository, run) for run in runs_of(repository, head_sha)]

    # -- parts --

    def _reviewed(self, pull: PullRequest, state: ReviewState, author: str, commit_sha: str, at: datetime) -> Review:
        """A person's review, published at once."""
        who = self.add_user(author)
        pull.reviews.append(Review(self.new_id(), who, state, "", commit_sha, at, submitted_at=at))
        return pull.reviews[-1]

    def _labelled(self, repository: Repository, pull: PullRequest, label: Label, action: str, by: str) -> None:
        who, pull.updated_at = self.add_user(by), self.clock()
        self.note(pull, action, who, pull.updated_at, label=label)
        self.emit_pull(repository, pull, action, who, label=label_json(self.base_url, repository, label))

    def _set_resolved(self, full_name: str, number: int, comment_id: int, by: str, *, resolved: bool) -> None:
        with self.lock:
            repository, pull = self.find_pull(full_name, number)
            thread, who = thread_of(pull, comment_id), self.add_user(by)
            thread.resolved_by = who if resolved else None
            self.emit_thread(repository, pull, thread, "resolved" if resolved else "unresolved", who)
