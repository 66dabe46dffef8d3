"""What is left to do when the App is made. Pure: the page and the terminal say the same."""

from app.curation.label_commands import render_label_commands
from app.domain.base import Record
from app.github.registering import AppCredentials
from app.setup.choice import Choice
from app.setup.storing import Stored


class Step(Record):
    """`link` leads to where it is done, `commands` are typed."""

    what: str
    link: str | None = None
    commands: tuple[str, ...] = ()


def render_steps(choice: Choice, made: AppCredentials, stored: Stored) -> tuple[Step, ...]:
    kept = f" What was there is kept as {stored.kept}." if stored.kept else ""
    written = (
        f"Nothing: the key is in {stored.key_file}, the settings are in {stored.env_file}, for your user alone.{kept}"
    )
    typed = f" The App's webhook secret is the value of UNDERSTUDY_WEBHOOK_SECRETS in {stored.env_file}: set it there."
    secret = () if made.webhook_secret else (Step(what=f"GitHub made no webhook secret.{typed}", link=made.html_url),)
    return (
        Step(what=written),
        *secret,
        Step(what="Make the base checkpoint, once.", commands=(".venv/bin/python -m training base --out data/base",)),
        Step(
            what="Start the model server and the service, each in a terminal, or as units of systemd "
            "(docs/operating.md has the lines).",
            commands=(
                ".venv/bin/python -m serving run --base data/base --state data/serving",
                ".venv/bin/python -m app serve",
            ),
        ),
        Step(
            what=f"See that {choice.public_url} leads to the service, and that nothing else is wrong.",
            commands=(".venv/bin/python -m app doctor",),
        ),
        Step(
            what="Install the App on the account whose pull requests it is to learn from.",
            link=f"{made.html_url.rstrip('/')}/installations/new",
        ),
        Step(
            what="Make the labels in each repository, by hand (Issues, Labels) or so: GitHub offers only those that "
            "are there, and their exact names are what counts.",
            commands=render_label_commands(),
        ),
    )


def render_told(steps: tuple[Step, ...]) -> str:
    """For the terminal."""
    lines = []
    for number, step in enumerate(steps, start=1):
        lines.append(f"{number}. {step.what}")
        lines += [f"     {command}" for command in step.commands]
        lines += [f"     {step.link}"] if step.link else []
    return "\n".join(lines)
