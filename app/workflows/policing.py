"""The durable look at a new head of a pull request: is the policy file that it brings one, and is a draft reviewed."""

from sqlmodel import Session

from app.domain.onboarding import Work
from app.domain.policies import POLICY_PATH
from app.review.policy_check import POLICY_CHECK_NAME, render_annotations, render_policy_check
from app.workflows.consent import may
from app.workflows.context import services
from app.workflows.engine import enqueue_in_transaction, step, transaction, workflow
from app.workflows.runs import Queue


@workflow("look_at_head")
async def look_at_head(installation_id: int, repository: str, review_id: str, draft: int) -> dict[str, bool]:
    """`review_id` as of the review. Returns whether the file was judged, and whether a draft goes to its review."""
    checked = await check_policy(installation_id, repository, review_id)
    wanted = bool(draft) and await wants_drafts(installation_id, repository)
    if wanted:
        await _enqueue_review(installation_id, repository, review_id)
    return {"checked": checked, "drafted": wanted}


@step()
async def check_policy(installation_id: int, repository: str, review_id: str) -> bool:
    """A check run on a head that changes the policy file. False, and nothing written, on every other."""
    if not await may(Work.ACT, installation_id, repository):
        return False
    github = services().github(installation_id)
    *_, number, head_sha = review_id.split(":")
    found = await github.fetch_proposed_policy(repository, head_sha)
    if not found.differs or not await _is_changed(installation_id, repository, int(number)):
        return False
    text = render_policy_check(found.proposed)
    await github.ensure_check_run(
        repository,
        head_sha,
        external_id=f"policy:{review_id}",
        conclusion=text.conclusion,
        title=text.title,
        summary=text.summary,
        name=POLICY_CHECK_NAME,
        annotations=render_annotations(found.proposed),
    )
    return True


async def _is_changed(installation_id: int, repository: str, number: int) -> bool:
    """A head may only be older than the file in force: what the pull request changes, its own list says."""
    files = await services().github(installation_id).fetch_files(repository, number)
    return any(POLICY_PATH in (item["filename"], item.get("previous_filename")) for item in files)


@step()
async def wants_drafts(installation_id: int, repository: str) -> bool:
    policy = (await services().github(installation_id).fetch_policy(repository)).policy
    return policy.is_reviewing and policy.review.drafts


@transaction
def _enqueue_review(session: Session, installation_id: int, repository: str, review_id: str) -> bool:
    """Under the id that leaving the draft would give it, too: a head is reviewed once."""
    enqueue_in_transaction(
        session,
        "review",
        f"review:{review_id}",
        installation_id,
        repository,
        review_id,
        queue=Queue.GITHUB,
        partition=installation_id,
    )
    return True
