"""docs/quickstart.md can be followed: whole by `python -m tests.docs.quickstart`, by hand; here its parts."""

import subprocess

import yaml

from app.domain.policies import parse_policy
from docs.website.lines import CHECKOUT, parse_line
from tests.docs.quickstart import PAGE, read_commands, read_policy


def test_the_page_goes_from_packages_to_a_service_that_is_examined() -> None:
    names = [parse_line(command).name for command in read_commands()]
    assert names == ["make install", "training base", "app setup", "serving run", "app serve", "app doctor"]
    assert "needs=" not in PAGE.read_text(encoding="utf-8")


def test_the_programs_agree_on_where_the_base_is() -> None:
    """The service reads data/base and data/serving unless told otherwise, and so must the two lines before it."""
    words = {parse_line(command).name: parse_line(command).words for command in read_commands()}
    made, served = words["training base"], words["serving run"]
    assert made[made.index("--out") + 1] == served[served.index("--base") + 1] == "data/base"
    assert served[served.index("--state") + 1] == "data/serving"


def test_the_file_on_the_page_lets_the_base_review() -> None:
    assert parse_policy(yaml.safe_load(read_policy())).review.without_adapter == "base"


def test_make_install_asks_for_every_hash_and_is_done_once() -> None:
    """What it would do where the list of packages is newer than the environment."""
    told = subprocess.run(
        ["make", "--dry-run", "--what-if=requirements.txt", "install"],
        cwd=CHECKOUT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "--require-hashes" in told
    assert "requirements.txt" in told
