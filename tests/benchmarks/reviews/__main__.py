"""Every pull request of an organisation is reviewed, pushed to three times, rebased, and reviewed each time.

`python -m tests.benchmarks.reviews --version DIR --base DIR --out FILE`             the demo's organisation
`python -m tests.benchmarks.reviews … --archive FILE --mirror DIR [--newest N]`      a recorded one

`--version` is an adapter folder that the service made for this organisation (`app/adapters/NAME` of a demo or a
rehearsal), promoted or refused. The real service and the real model server review on the stand-in GitHub. Wanted:
every posted place valid by git itself, no comment twice, at most three comments a pull request (median), silence on at
least 80 % of the clean pull requests (those whose answer key is empty; recorded ones have no such key).
"""

import argparse
import json
import secrets
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from app.domain.adapters import AdapterManifest
from app.rehearsal.app_program import AppProgram
from app.rehearsal.archive import read_archive
from app.rehearsal.backtesting import find_reviewed
from app.rehearsal.demo.run import SEED
from app.rehearsal.organisation.play import enter_organisation, open_heldout
from app.rehearsal.organisation.story import write_story
from app.rehearsal.playback import Mirror, open_recorded, set_up
from app.rehearsal.serving_program import ServingProgram
from app.rehearsal.standin import StandIn, StandInServer
from app.store.database import open_engine, writing
from app.store.rounds import move_pointer, save_adapter_version
from app.store.tables import AdapterVersionRow
from tests.benchmarks.reviews.counting import Followed, count_figures, line_at, read_followed
from tests.benchmarks.reviews.pushing import ROUNDS, Branch

_READY_SECONDS = 600.0
_ROUND_SECONDS = 3_600.0
#: Opens every pull request, later, and says which ones (repository, number, whether it is clean).
Opening = Callable[[], list[tuple[str, int, bool]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--mirror", type=Path)
    parser.add_argument("--seed", type=int, default=SEED, help="another demo organisation: other code, the same habits")
    parser.add_argument("--newest", type=int, help="only so many pull requests, the newest")
    parser.add_argument("--clean", action="store_true", help="only the demo's clean ones: few in one organisation")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        secret = secrets.token_hex(24)
        standin = StandIn(Path(folder) / "github", webhook_secret=secret)
        # GitHub's 500 things made an hour, in which five heads of seventy pull requests have no room.
        standin.limits.contents_per_minute = standin.limits.contents_per_hour = None
        server = stack.enter_context(StandInServer(standin))
        if given.archive is None or given.mirror is None:
            open_all = _enter_demo(standin, given.seed, given.newest, only_clean=given.clean)
        else:
            open_all = _enter_archive(standin, given.archive, given.mirror, given.newest)
        app = _start(
            stack,
            Path(folder),
            standin,
            server,
            secret=secret,
            version=given.version.resolve(),
            base=given.base.resolve(),
        )
        pulls = follow(standin, server, app, open_all)
    figures = count_figures(pulls)
    record = {"figures": figures.model_dump(mode="json"), "pulls": [one.model_dump(mode="json") for one in pulls]}
    given.out.write_text(json.dumps(record, indent=1))
    for name, value in figures.model_dump(mode="json").items():
        print(f"{name:16} {value}")


def _enter_demo(standin: StandIn, seed: int, newest: int | None, *, only_clean: bool) -> Opening:
    """Pull requests that the answer key says nothing of are not called clean: the key is of the held-out ones only."""
    story = write_story(seed, "demo")
    enter_organisation(story, standin)
    chosen = (*story.merged, *story.held_out)[-newest if newest else 0 :]
    clean = {(pull.repository, pull.number) for pull in story.held_out if not pull.violations}
    if only_clean:
        chosen = tuple(pull for pull in chosen if (pull.repository, pull.number) in clean)

    def open_all() -> list[tuple[str, int, bool]]:
        for pull in chosen:
            open_heldout(story, standin, pull)
        return [(one.repository, one.number, (one.repository, one.number) in clean) for one in chosen]

    return open_all


def _enter_archive(standin: StandIn, archive: Path, mirror: Path, newest: int | None) -> Opening:
    rows, source = read_archive(archive)[-newest if newest else 0 :], Mirror(mirror)
    set_up(standin, rows[0].repo, source)

    def open_all() -> list[tuple[str, int, bool]]:
        for row in rows:
            open_recorded(standin, source, row, at=find_reviewed(source, row), emit=True)
        return [(row.repo, row.number, False) for row in rows]

    return open_all


def _start(
    stack: ExitStack, work: Path, standin: StandIn, server: StandInServer, *, secret: str, version: Path, base: Path
) -> AppProgram:
    """The service with this version in its registry, and the model server."""
    manifest = AdapterManifest.model_validate_json((version / "manifest.json").read_text())
    serving = ServingProgram(work, base=base, max_rank=manifest.rank)
    serving.start()
    stack.callback(serving.program.stop)
    app = AppProgram(work, standin, webhook_secret=secret, base=base, serving=serving.state, training_config=None)
    stack.callback(app.program.stop)
    app.start(lambda: None)
    database = open_engine(app.database_url)
    with writing(database) as session:
        row = AdapterVersionRow(
            name=manifest.name,
            installation_id=standin.installation_id,
            snapshot_id=manifest.snapshot,
            state="promoted",
            path=str(version),
            manifest=manifest.model_dump(mode="json"),
        )
        save_adapter_version(session, row)
        move_pointer(session, standin.installation_id, manifest.name)
    database.dispose()
    serving.program.wait_until(serving.is_ready, timeout_seconds=_READY_SECONDS, tick=lambda: None)
    server.deliver_to(f"{app.url}/webhooks")
    return app


def follow(standin: StandIn, server: StandInServer, app: AppProgram, open_all: Opening) -> list[Followed]:
    """All rounds, each over all pull requests at once, and what was said by then."""
    branches: list[tuple[Branch, bool]] = []
    for step in ROUNDS:
        started = time.monotonic()
        if step == "opened":
            branches = [(Branch(standin, name, number), clean) for name, number, clean in open_all()]
        else:
            for branch, _ in branches:
                branch.go_on(step, _commented(branch))
        server.drain(_ROUND_SECONDS)
        app.wait_idle(timeout_seconds=_ROUND_SECONDS, tick=lambda _: None)
        failed = app.status()["failed"]
        print(f"{step}: {len(branches)} heads in {time.monotonic() - started:.0f} s, {len(failed)} failed", flush=True)
    mirrors = {name: Mirror(standin.bare_path(name)) for name in {branch.repository for branch, _ in branches}}
    return [read_followed(branch, mirrors[branch.repository], is_clean=clean) for branch, clean in branches]


def _commented(branch: Branch) -> list[tuple[str, str]]:
    standin = branch.standin
    own = standin.reviews(branch.repository, branch.number, author=f"{standin.slug}[bot]")
    return [
        (one["path"], line_at(branch, review["commit_id"], one["path"], one["original_line"]))
        for review in own
        for one in review["comments"]
    ]


if __name__ == "__main__":
    main()
