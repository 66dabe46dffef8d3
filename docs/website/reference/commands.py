"""Every command and option, from the parsers themselves, with the test that runs it."""

import argparse
from collections.abc import Iterator
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup, TyperOption

from app.__main__ import cli as app_cli
from docs.website.proofs import find_proof
from docs.website.reference.tables import code, render_table
from serving.__main__ import _parser as serving_parser
from training.__main__ import cli as training_cli

_REQUIRED = "required"


class Option(NamedTuple):
    name: str
    about: str
    default: str


class Command(NamedTuple):
    """`name` as it is typed after `python -m`."""

    name: str
    about: str
    options: tuple[Option, ...]


def render_commands() -> str:
    """The page."""
    parts = [_render(command) for command in read_commands()]
    return (
        "# Commands\n\nAs typed in the checkout with `.venv/bin/` before `python`. Each is run by the test named under "
        "it, or says why not.\n\n" + "\n".join(parts)
    )


def read_commands() -> list[Command]:
    """Of all three programs."""
    return [
        *_read_typer("app", typer.main.get_command(app_cli)),
        *_read_typer("training", typer.main.get_command(training_cli)),
        *_read_argparse("serving", serving_parser()),
    ]


def _render(command: Command) -> str:
    proof = find_proof(command.name)
    rows = [(code(option.name), option.about, _default(option)) for option in command.options]
    table = render_table(("option", "what", "default"), rows) if rows else ""
    shown = f'<p class="proof{" ran" if proof.ran else ""}">{proof.text}</p>' if proof else ""
    return f"## python -m {command.name}\n\n{command.about}\n\n{table}\n{shown}\n"


def _default(option: Option) -> str:
    return option.default if option.default == _REQUIRED else code(option.default)


def _read_typer(name: str, command: Any) -> Iterator[Command]:  # noqa: ANN401  typer brings its own click, unnamed
    if isinstance(command, TyperGroup):
        for word, inner in command.commands.items():
            yield from _read_typer(f"{name} {word}", inner)
        return
    told = (command.help or "").split("\n\n")[0]
    yield Command(name, told, tuple(_read_option(option) for option in command.params))


def _read_option(option: Any) -> Option:  # noqa: ANN401  the same
    required = _REQUIRED if option.required else ""
    name = ", ".join(option.opts) if isinstance(option, TyperOption) else (option.name or "").upper()
    default = option.default if isinstance(option.default, str | int | float) and option.default is not False else ""
    return Option(name, str(getattr(option, "help", None) or ""), required or str(default))


def _read_argparse(name: str, parser: argparse.ArgumentParser) -> Iterator[Command]:
    for group in parser._actions:
        if not isinstance(group, argparse._SubParsersAction):
            continue
        about = {action.dest: action.help or "" for action in group._choices_actions}
        for word, inner in group.choices.items():
            yield Command(f"{name} {word}", about.get(word, ""), tuple(_read_actions(inner)))


def _read_actions(parser: argparse.ArgumentParser) -> Iterator[Option]:
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        default = "" if action.default in (None, False, argparse.SUPPRESS) else str(action.default)
        choices = f"one of {', '.join(map(str, action.choices))}" if action.choices else ""
        about = "; ".join(part for part in (action.help or "", choices) if part)
        yield Option(", ".join(action.option_strings) or action.dest, about, _REQUIRED if action.required else default)
