"""How long the server takes for every page of the dashboard, with 100,000 Examples in one installation.

`python -m tests.benchmarks.pages [--examples N] [--database URL] [--folder FOLDER] [--times N]` fills a database
(SQLite in a folder of its own, or an empty one that is named; a FOLDER is kept and filled once), starts the service and
asks for each page as an admin signed in through the stand-in GitHub. The time is that of the whole answer over
loopback, so a little more than the server's own. The first request of each page is told apart: it finds caches cold. An
overview finds its rates cold once a minute.
`cpu` is the processor time of server and client together, which other programs on a busy machine do not lengthen.
Prints JSON: milliseconds, median and worst of each page.
"""

import argparse
import html
import json
import os
import re
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from app.store.database import reading
from app.store.overviews import select_comments
from app.store.rounds import load_pointer, select_training_runs
from app.web.dashboard.routes import ROUTES
from app.web.listening import tune_interpreter
from tests.integration.web.conftest import Dashboard, running_dashboard
from tests.made_dashboard import Size

LIMIT_MILLISECONDS = 200.0
_SEARCHES = {
    "a common word": "words=backoff",
    "a rare word": "words=case+99991.",
    "no such word": "words=zyzzyva",
    "three words and every filter": "words=rounds+twice+cents&decision=approve&evidence=line&kind=review_comment"
    "&repository=acme/store",
    "undecided": "decision=none",
    "rejected": "decision=reject",
    "hunks left alone": "kind=clean_hunk",
}


def list_pages(made: Dashboard) -> dict[str, str]:
    """Every GET route of the table with an installation, and the searches of the dataset browser."""
    with reading(made.database) as session:
        pointer = load_pointer(session, made.installation_id)
        comment = select_comments(session, made.installation_id, None, limit=1, before=None)[0]
        run = select_training_runs(session, made.installation_id)[0]
    if pointer is None or pointer.adapter_name is None:
        raise SystemExit("expected an adapter that reviews; tests/made_dashboard.py makes one")
    things = {
        "{installation_id}": str(made.installation_id),
        "{hash}": made.example(),
        "{name}": pointer.adapter_name,
        "{fingerprint}": comment.fingerprint,
        "{run_id}": run.id,
    }
    pages = {"GET ": "/dashboard"}
    for route in ROUTES:
        if route.method == "GET" and "{installation_id}" in route.path:
            path = route.path
            for place, thing in things.items():
                path = path.replace(place, thing)
            compared = f"?left={pointer.adapter_name}&right={pointer.previous}" if path.endswith("compare") else ""
            pages[f"GET {route.path}"] = f"/dashboard{path}{compared}"
    browser = pages["GET /{installation_id}/examples"]
    return pages | {f"search: {name}": f"{browser}?{query}" for name, query in _SEARCHES.items()}


def time_pages(client: httpx.Client, pages: dict[str, str], times: int) -> dict[str, dict[str, float]]:
    found = {}
    for name, path in pages.items():
        took, worked = [], []
        for _ in range(times + 1):
            began, busy = time.perf_counter(), time.process_time()
            answer = client.get(path)
            took.append(round(1000 * (time.perf_counter() - began), 1))
            worked.append(round(1000 * (time.process_time() - busy), 1))
            if answer.status_code != 200:
                raise SystemExit(f"expected {path} to be served, got {answer.status_code}: {answer.text[:500]}")
        found[name] = {
            "first": took[0],
            "median": statistics.median(took[1:]),
            "worst": max(took[1:]),
            "cpu_first": worked[0],
            "cpu": statistics.median(worked[1:]),
        }
    return found


def deep_page(client: httpx.Client, first: str, pages: int) -> str:
    """Where the list goes on after so many pages."""
    path = first
    for _ in range(pages):
        following = re.findall(r'href="\?([^"]+)"', client.get(path).text)
        path = f"{first}?{html.unescape(following[-1])}"
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--decided", type=int, default=5_000)
    parser.add_argument("--reviews", type=int, default=3_000)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--database", help="the URL of an empty database")
    parser.add_argument("--folder", help="where the database is kept")
    given = parser.parse_args()
    size = Size(examples=given.examples, decided=given.decided, reviews=given.reviews, pulls=8_000)
    with tempfile.TemporaryDirectory(prefix="understudy-pages-") as passing:
        folder = given.folder or passing
        url = given.database or f"sqlite:///{folder}/understudy.db"
        began = time.perf_counter()
        with running_dashboard(Path(folder), url, size) as made:
            filled = time.perf_counter() - began
            tune_interpreter()  # as `app serve` does
            client = made.sign_in("root")
            client.get("/dashboard")  # asks GitHub, which no later page within a minute does
            pages = list_pages(made)
            pages["dataset, the 20th page"] = deep_page(client, pages["GET /{installation_id}/examples"], 20)
            found = time_pages(client, pages, given.times)
    slowest = max(found, key=lambda name: found[name]["worst"])
    over = [name for name, took in found.items() if took["median"] > LIMIT_MILLISECONDS]
    told = {"database": url.split(":")[0], "size": vars(size), "started_in_seconds": round(filled, 1)}
    told["load_of_the_machine"] = os.getloadavg()[0]
    result = told | {"milliseconds": found, "slowest": slowest, "over_limit": over}
    print(json.dumps(result, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
