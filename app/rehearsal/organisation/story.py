"""Writes the story: every pull request of the demo organisation, out of a seed. Pure; same seed, same story."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from app.rehearsal.organisation.chance import seeded
from app.rehearsal.organisation.code import Draft, SourceFile, render_file, write_draft
from app.rehearsal.organisation.drafts import Insertion, Workspace
from app.rehearsal.organisation.people import AUTHORS, MAINTAINER, PEOPLE
from app.rehearsal.organisation.places import MODULES, ShapeDeck, clarify_docstring, place_drafts, write_modules
from app.rehearsal.organisation.plan import SIZES, PullPlan, Size, SizeName, labeller, plan_pulls
from app.rehearsal.organisation.records import (
    Approval,
    Commit,
    Label,
    PullRequest,
    Story,
    Thread,
    Violation,
)
from app.rehearsal.organisation.threads import (
    Remark,
    remark_in_passing,
    remark_on_break,
    reviewer_for,
    scatter_remarks,
    write_thread,
)

FOUNDED_AT = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
_FIRST_COMMENT_ID = 2_000_000_001


@dataclass
class _Organisation:
    """What is true between two pull requests of one repository."""

    name: str
    modules: dict[str, SourceFile]
    taken: set[str]
    deck: ShapeDeck
    pulls: int = 0


@dataclass
class _Course:
    """A pull request's commits by moment, and who wrote it."""

    author: str
    created_at: datetime
    authored: int
    moments: list[datetime] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


def write_story(seed: int, size: SizeName = "demo", *, noise: bool = False) -> Story:
    """The whole history. With `noise` the same comments stand on random added lines, and teach nothing."""
    measure, rng = SIZES[size], seeded("tidewater", seed)
    deck = ShapeDeck()
    organisations = [_found(rng, deck, name, measure) for name in MODULES]
    first = {item.name: {path: render_file(file) for path, file in item.modules.items()} for item in organisations}
    merged_plans, open_plans = plan_pulls(rng, measure)
    ids = count(_FIRST_COMMENT_ID)
    merged, at = [], FOUNDED_AT
    for index, plan in enumerate(merged_plans):
        at += timedelta(seconds=measure.seconds_between + rng.randint(-7200, 7200))
        names, place = ("tidewater", seed, "merged", index), organisations[index % 2]
        work = _draft_work(seeded(*names, "code"), plan, place)
        merged.append(_write_merged(seeded(*names, "talk"), plan, place, work, at=at, ids=ids, noise=noise))
    held_out = []
    for index, plan in enumerate(open_plans):
        at += timedelta(minutes=rng.randint(3_000, 3_600) if not index else rng.randint(20, 60))
        held_out.append(_write_open(seeded("tidewater", seed, "open", index), plan, organisations[index % 2], at))
    return Story(
        seed=seed,
        noise=noise,
        founded_at=FOUNDED_AT,
        people=PEOPLE,
        repositories=first,
        maintainer=MAINTAINER,
        merged=_shuffle_bodies(seeded("noise", seed), merged) if noise else tuple(merged),
        held_out=tuple(held_out),
    )


def _found(rng: Random, deck: ShapeDeck, name: str, size: Size) -> _Organisation:
    taken: set[str] = set()
    modules = write_modules(rng, name, deck, taken, size.functions_per_module)
    return _Organisation(name, modules, taken, deck)


def _draft_work(rng: Random, plan: PullPlan, place: _Organisation) -> Workspace:
    drafts: list[tuple[Draft, bool]] = []
    for broken, rules in ((True, plan.breaks), (False, plan.keeps)):
        for rule in rules:
            shape = place.deck.deal(rng, rule, plan.era, broken=broken)
            drafts.append((write_draft(rng, plan.era, shape, rule, place.taken), broken))
    work = place_drafts(rng, place.modules, drafts)
    if plan.era == "known":
        _edit_something_old(rng, work)
    return work


def _write_merged(
    rng: Random, plan: PullPlan, place: _Organisation, work: Workspace, *, at: datetime, ids: "count[int]", noise: bool
) -> PullRequest:
    course = _author(rng, work, at)
    remarks = _review(rng, plan, work, course)
    if noise:
        scatter_remarks(rng, remarks, work.insertions)
    _answer(rng, plan, work, course)
    threads = _write_threads(rng, work, remarks, course, ids)
    last = len(course.moments) - 1
    pull = _pull_request(plan, work, place, course, threads)
    place.modules |= {path: work.file_at(path, last) for path in work.paths}
    approved_at = course.moments[-1] + timedelta(minutes=rng.randint(200, 300))
    approver = reviewer_for(rng, course.author)
    return pull.model_copy(update=_ending(plan, pull.author, approver, approved_at))


def _ending(plan: PullPlan, author: str, approver: str, at: datetime) -> dict[str, object]:
    """Approved by a reviewer, merged by the maintainer, and labelled as planned."""
    label = Label(
        name="understudy:reject" if plan.labelling == "reject" else "understudy:approve",
        by=labeller(plan.labelling, MAINTAINER, approver),
        at=at + timedelta(minutes=45),
    )
    return {
        "approval": Approval(author=approver, at=at),
        "merged_by": MAINTAINER,
        "merged_at": at + timedelta(minutes=25),
        "label": None if plan.labelling == "none" else label,
    }


def _write_open(rng: Random, plan: PullPlan, place: _Organisation, at: datetime) -> PullRequest:
    """A held-out pull request: one commit, no comment, and the answer key."""
    work = _draft_work(rng, plan, place)
    author = rng.choice(AUTHORS)
    course = _Course(author, at, 1, [at - timedelta(minutes=15)], [_title(work)])
    broken = [item for item in work.insertions if item.broken]
    violations = [
        Violation(path=item.path, line=work.line_of(item, item.draft.mark, 0)[0], rule=item.draft.rule or "")
        for item in broken
    ]
    pull = _pull_request(plan, work, place, course, ())
    key = tuple(sorted(violations, key=lambda one: (one.path, one.line)))
    return pull.model_copy(update={"violations": key})


def _edit_something_old(rng: Random, work: Workspace) -> None:
    """Now and then a docstring of old code gets clearer along the way, far enough from new code for its own hunk."""
    path = rng.choice(work.paths)
    index = rng.randrange(len(work.before[path].functions))
    clearer = clarify_docstring(rng, work.before[path].functions[index])
    near = any(item.path == path and item.gap - 2 <= index <= item.gap + 1 for item in work.insertions)
    if clearer and not near and rng.random() < 0.4:
        work.edits[path, index] = clearer


def _author(rng: Random, work: Workspace, at: datetime) -> _Course:
    """One commit, or two where the second brings one more file."""
    course = _Course(rng.choice(AUTHORS), at, 1, [at - timedelta(minutes=15)], [_title(work)])
    paths = sorted({item.path for item in work.insertions})
    if rng.random() < 0.3 and len(paths) > 1:
        for item in work.insertions:
            item.born = int(item.path == paths[-1])
        work.edits = {key: lines for key, lines in work.edits.items() if key[0] != paths[-1]}
        course.authored = 2
        course.moments.append(at + timedelta(minutes=rng.randint(90, 150)))
        course.messages.append(f"The same for {paths[-1].split('/')[-1].removesuffix('.py')}")
    return course


def _review(rng: Random, plan: PullPlan, work: Workspace, course: _Course) -> list[Remark]:
    """Remarks are made on the last authored commit, a few already on the first."""
    last = course.authored - 1
    remarks = []
    for item in (item for item in work.insertions if item.broken):
        commit = item.born if rng.random() < 0.35 else last
        remarks.append(remark_on_break(rng, item, commit, course.author))
    busy = {item.path for item in work.insertions if item.broken}
    calm = [item for item in work.insertions if item.path not in busy]
    for kind, item in zip(plan.small_talk, rng.sample(calm, len(plan.small_talk)), strict=True):
        remarks.append(remark_in_passing(rng, item, last, kind, course.author))
    return remarks


def _answer(rng: Random, plan: PullPlan, work: Workspace, course: _Course) -> None:
    """Commits that answer the remarks: suggestions by themselves, the rest in one or two, or all in one forced push."""
    answered = [item for item in work.insertions if item.answer != "none"]
    suggested = [item for item in answered if item.answer == "suggestion" and not plan.force_pushed]
    rest = [item for item in answered if item not in suggested]
    cut = len(rest) // 2 if len(rest) > 2 and not plan.force_pushed and rng.random() < 0.35 else 0
    groups = [
        ("Apply suggestions from code review", suggested),
        ("Do what the review asks for", rest[:cut]),
        (_title(work) if plan.force_pushed else "Address the review", rest[cut:]),
    ]
    for message, items in groups:
        if items:
            course.moments.append(course.moments[-1] + timedelta(minutes=rng.randint(400, 600)))
            course.messages.append(message)
            for item in items:
                item.answered = len(course.moments) - 1


def _write_threads(
    rng: Random, work: Workspace, remarks: list[Remark], course: _Course, ids: "count[int]"
) -> tuple[Thread, ...]:
    """Threads by moment. A remark falls after its commit and before the next one."""
    threads = []
    for position, remark in enumerate(remarks):
        at = course.created_at if remark.commit == 0 else course.moments[remark.commit]
        wait = 10 + 5 * position if remark.commit < course.authored - 1 else 60 + 9 * position
        threads.append(
            write_thread(rng, work, remark, at=at + timedelta(minutes=wait), comment_id=next(ids), author=course.author)
        )
    return tuple(sorted(threads, key=lambda thread: (thread.at, thread.comment_id)))


def _pull_request(
    plan: PullPlan, work: Workspace, place: _Organisation, course: _Course, threads: tuple[Thread, ...]
) -> PullRequest:
    place.pulls += 1
    before = {path: render_file(file) for path, file in work.before.items()}
    names = "\n".join(f"- `{item.draft.name}`" for item in work.insertions)
    return PullRequest(
        repository=place.name,
        number=place.pulls,
        title=_title(work),
        body=f"New here:\n{names}\n",
        author=course.author,
        created_at=course.created_at,
        before=before,
        commits=_commits(plan, work, course, before),
        threads=threads,
    )


def _commits(plan: PullPlan, work: Workspace, course: _Course, before: dict[str, str]) -> tuple[Commit, ...]:
    texts = [work.texts_at(index) for index in range(len(course.moments))]
    commits = []
    for index, (at, message) in enumerate(zip(course.moments, course.messages, strict=True)):
        forced = plan.force_pushed and index == course.authored
        parent = None if index == 0 or forced else index - 1
        old = before if parent is None else texts[parent]
        changes = {path: text for path, text in texts[index].items() if text != old[path]}
        commits.append(Commit(parent=parent, message=message, author=course.author, at=at, changes=changes))
    return tuple(commits)


def _title(work: Workspace) -> str:
    first: Insertion = work.insertions[0]
    module = first.path.split("/")[-1].removesuffix(".py").capitalize()
    return f"{module}: {first.draft.name.replace('_', ' ')} and {len(work.insertions) - 1} more"


def _shuffle_bodies(rng: Random, pulls: list[PullRequest]) -> tuple[PullRequest, ...]:
    """The comments about rules change places, so that no text has to do with the line it stands on.

    Nobody ends up commenting on a pull request of their own: two comments swap only where both may.
    """
    seats = [(pull, thread) for pull in pulls for thread in pull.threads if thread.kind == "rule"]
    said = [(thread.author, thread.body, thread.rule) for _, thread in seats]
    for here in range(len(seats)):
        there = rng.choice(
            [
                other
                for other in range(len(seats))
                if said[other][0] != seats[here][0].author and said[here][0] != seats[other][0].author
            ]
        )
        said[here], said[there] = said[there], said[here]
    new = {thread.comment_id: words for (_, thread), words in zip(seats, said, strict=True)}
    return tuple(
        pull.model_copy(update={"threads": tuple(_with_words(thread, new) for thread in pull.threads)})
        for pull in pulls
    )


def _with_words(thread: Thread, new: dict[int, tuple[str, str, str | None]]) -> Thread:
    if thread.comment_id not in new:
        return thread
    author, body, rule = new[thread.comment_id]
    return thread.model_copy(update={"author": author, "body": body, "rule": rule})
