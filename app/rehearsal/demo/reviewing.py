"""The last chapters: pull requests nobody has seen are opened, reviewed over HTTP, and scored by the answer key."""

from typing import Any

from app.domain.adapters import AdapterManifest
from app.domain.errors import UserError
from app.inference.front import read_front
from app.rehearsal.demo.baselines import ask_base, pick_nearest, render_questions
from app.rehearsal.demo.context import Demo
from app.rehearsal.organisation.play import open_heldout
from app.rehearsal.organisation.records import PullRequest
from app.rehearsal.organisation.score import PostedComment, score_reviews
from app.review.messages import CHECK_NAME
from app.store.database import reading
from app.store.reviews import select_reviews

_REVIEW_SECONDS = 600.0

Json = dict[str, Any]


def review_held_out(demo: Demo) -> Json:
    """Open them all; each gets exactly one check run, and one review or silence."""
    pulls = demo.organisation.held_out
    for pull in pulls:
        open_heldout(demo.organisation, demo.standin, pull)
    demo.server.drain(_REVIEW_SECONDS)
    demo.wait_idle(
        "review",
        lambda status: f"{status.get('rows', {}).get('us_review', 0)}/{len(pulls)} pull requests taken up",
        timeout_seconds=_REVIEW_SECONDS,
    )
    with reading(demo.database) as session:
        rows = select_reviews(session, demo.standin.installation_id)
    seconds = sorted((row.finished_at - row.created_at).total_seconds() for row in rows if row.finished_at is not None)
    counts = {"posted": 0, "silent": 0}
    comments = 0
    for pull in pulls:
        reviews = _reviews(demo, pull)
        checks = _checks(demo, pull)
        if len(reviews) > 1 or len(checks) != 1:
            raise UserError(
                f"{pull.repository}#{pull.number}: expected at most one review and one check run, "
                f"got {len(reviews)} and {len(checks)}"
            )
        counts["posted" if reviews else "silent"] += 1
        comments += sum(len(review["comments"]) for review in reviews)
    demo.story.say(f"{counts['posted']} reviews with {comments} comments, {counts['silent']} pull requests in silence")
    demo.story.say(f"median {seconds[len(seconds) // 2]:.1f} s from webhook to finished review, all at once")
    return {**counts, "comments": comments, "review_seconds": [round(value, 2) for value in seconds]}


def score(demo: Demo) -> Json:
    """Against the answer key: right lines, right rules, and silence where there is nothing to say."""
    posted = tuple(
        PostedComment(
            repository=pull.repository,
            pull_request=pull.number,
            path=comment["path"],
            line=comment["line"],
            body=comment["body"],
        )
        for pull in demo.organisation.held_out
        for review in _reviews(demo, pull)
        for comment in review["comments"]
    )
    result = score_reviews(demo.organisation, posted)
    for words, figure in (
        ("of the broken house rules found at the right line", result.found),
        ("of the clean hunks got a comment", result.clean_commented),
        ("of the comments at a right line name the right rule", result.right_rule),
    ):
        if figure is None:
            raise UserError(f"nothing was measured: no share {words}")
        interval = f"{figure.low:.0%}–{figure.high:.0%}, n = {figure.n}"
        demo.story.say((f"{figure.value:.0%}", "bold"), f" {words} ({interval})")
    for words, tally in (("lexical", result.lexical), ("contextual", result.contextual)):
        demo.story.say(f"{words} rules: {tally.found} of {tally.violations} found, {tally.named} named rightly")
    figures: Json = result.model_dump(mode="json")
    return figures | {"baselines": _compare(demo, posted)}


def _compare(demo: Demo, posted: tuple[PostedComment, ...]) -> Json:
    """The right rule by the same lines' other answers: the untrained base, and the most similar past comment."""
    demo.story.progress("asking the base about the same lines")
    questions = render_questions(demo.standin, posted)
    run = demo.wait_learning(timeout_seconds=5)
    snapshot = AdapterManifest.model_validate_json((run / "version" / "manifest.json").read_text()).snapshot
    folder = demo.app.data / "snapshots" / snapshot.replace(":", "-")
    arms = {
        "base": ask_base(read_front(demo.serving.state), questions),
        "nearest past comment": pick_nearest(folder / "comments.train.jsonl", questions),
    }
    figures = {}
    for name, bodies in arms.items():
        said = [comment.model_copy(update={"body": body}) for comment, body in zip(posted, bodies, strict=True)]
        figure = score_reviews(demo.organisation, said).right_rule
        if figure is not None:
            demo.story.say(f"beside it, {name}: {figure.value:.0%} ({figure.low:.0%}–{figure.high:.0%})")
        figures[name] = None if figure is None else figure.model_dump(mode="json")
    return figures


def show_review(demo: Demo) -> Json:
    """One posted review as a person sees it, and one silent check run."""
    with_review = max(
        demo.organisation.held_out, key=lambda pull: sum(len(r["comments"]) for r in _reviews(demo, pull))
    )
    for comment in (comment for review in _reviews(demo, with_review) for comment in review["comments"]):
        words, _, signature = comment["body"].partition("<sub>")
        demo.story.panel(
            f"{comment['path']}:{comment['line']}",
            f"{_last_lines(comment['diff_hunk'])}\n\n{comment['user']['login']}: {words.strip()}",
            subtitle=signature.removesuffix("</sub>"),
        )
    silent = next((pull for pull in demo.organisation.held_out if not _reviews(demo, pull)), None)
    for pull in (with_review, silent):
        if pull is not None:
            check = _checks(demo, pull)[0]
            demo.story.panel(f"{check['conclusion']} · {check['output']['title']}", check["output"]["summary"])
    demo.story.save_picture(demo.work / "review.svg", f"{with_review.repository}#{with_review.number}")
    return {"pull_request": f"{with_review.repository}#{with_review.number}", "picture": "review.svg"}


def _last_lines(hunk: str) -> str:
    return "\n".join(hunk.split("\n")[-6:])


def _reviews(demo: Demo, pull: PullRequest) -> list[Json]:
    return demo.standin.reviews(pull.repository, pull.number, author=demo.standin.bot.login)


def _checks(demo: Demo, pull: PullRequest) -> list[Json]:
    sha = demo.standin.find_pull(pull.repository, pull.number)[1].head_sha
    return [run for run in demo.standin.check_runs(pull.repository, sha) if run["name"] == CHECK_NAME]
