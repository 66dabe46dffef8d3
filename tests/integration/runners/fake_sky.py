"""`sky` and `aws` as far as a training needs them: options as `sky jobs … --help` of SkyPilot 0.14.1 lists them, a
queue in a file, a bucket that is a folder. What is not an option there ends with status 2, as click ends.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import yaml

STATE = Path(__file__).parent / "state.json"


def _save(state: object) -> None:
    """Whole or not at all: the test reads while this program writes."""
    beside = STATE.with_suffix(".new")
    beside.write_text(json.dumps(state))
    beside.replace(STATE)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sky", allow_abbrev=False)
    jobs = parser.add_subparsers(dest="group", required=True).add_parser("jobs", allow_abbrev=False)
    commands = jobs.add_subparsers(dest="command", required=True)
    launch = commands.add_parser("launch", allow_abbrev=False)
    launch.add_argument("-n", "--name")
    launch.add_argument("-d", "--detach-run", action="store_true")
    launch.add_argument("-y", "--yes", action="store_true")
    launch.add_argument("entrypoint", type=Path)
    queue = commands.add_parser("queue", allow_abbrev=False)
    queue.add_argument("-a", "--all", action="store_true")
    queue.add_argument("-o", "--output", choices=["table", "json"], default="table")
    cancel = commands.add_parser("cancel", allow_abbrev=False)
    cancel.add_argument("-n", "--name")
    cancel.add_argument("-y", "--yes", action="store_true")
    return parser.parse_args(arguments)


def sky(arguments: list[str]) -> int:
    asked, state = _parse(arguments), json.loads(STATE.read_text())
    with STATE.with_name("asked").open("a") as file:
        file.write(f"{asked.command}\n")
    if asked.command == "queue":
        assert asked.output == "json"
        if state["silences"]:
            state["silences"] -= 1
            _save(state)
            sys.stderr.write("Could not connect to the SkyPilot API server\n")
            return 1
        sys.stdout.write(json.dumps(state["jobs"], indent=2))
        return 0
    assert asked.yes, "it would ask a person"
    if asked.command == "launch":
        assert asked.detach_run, "it would follow the logs"
        if state["refuse"]:
            sys.stderr.write("sky.exceptions.NoCloudAccessError: run `sky check`\n")
            return 1
        task = yaml.safe_load(asked.entrypoint.read_text())
        assert task["name"] == asked.name
        state["jobs"].append({"job_id": len(state["jobs"]) + 1, "job_name": asked.name, "status": "PENDING"})
    else:
        for job in state["jobs"]:
            job["status"] = "CANCELLED" if job["job_name"] == asked.name else job["status"]
    _save(state)
    return 0


def aws(arguments: list[str]) -> int:
    """`aws s3 cp|sync|rm`; the bucket lies beside this file."""
    assert arguments[0] == "s3"
    *options, source = [one for one in arguments[2:] if one != "checkpoints/*"][: 99 if arguments[1] == "rm" else -1]
    allowed = {"--no-progress", "--no-follow-symlinks", "--exclude", "--recursive", "--quiet"}
    assert set(options) <= allowed, options
    place = Path(__file__).parent / source.removeprefix("s3://")
    if not place.exists():
        sys.stderr.write("fatal error: 404\n")
        return 1
    if arguments[1] == "rm":
        shutil.rmtree(place)
    elif arguments[1] == "cp":
        shutil.copyfile(place, arguments[-1])
    else:
        shutil.copytree(place, arguments[-1], dirs_exist_ok=True, ignore=shutil.ignore_patterns("checkpoints"))
    return 0


if __name__ == "__main__":
    sys.exit({"sky": sky, "aws": aws}[sys.argv[1]](sys.argv[2:]))
