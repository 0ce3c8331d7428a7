"""The command line: which commands there are, and which of them was asked for."""

import argparse
from importlib import import_module
from typing import Any, Final, Protocol, cast

from annotator_core.cli.exits import EXIT_HELP, Exit
from annotator_core.cli.pool import HubAccess

COMMANDS: Final = ("label", "pilot", "search", "certify", "bench", "reproduce")
"""Each is a module of this package that fits `Command`."""


class Subparsers(Protocol):
    """What argparse's ``add_subparsers`` returns, as far as a command needs it."""

    def add_parser(self, name: str, **settings: Any) -> argparse.ArgumentParser:
        """Return the parser of a new command; the settings are those of ``ArgumentParser``."""
        ...


class Command(Protocol):
    """A module that is a command."""

    def add_parser(self, commands: Subparsers) -> argparse.ArgumentParser:
        """Return the command's parser, with help and examples; nothing heavy may be imported for it."""
        ...

    def run(self, named: argparse.Namespace, hub: HubAccess) -> Exit:
        """Return how it ended; results go to stdout or files, all else to stderr. Raises AnnotatorError's children."""
        ...


def parse(arguments: list[str] | None) -> tuple[Command, argparse.Namespace]:
    """Return the command asked for and its arguments. Exits with 2 on wrong usage, with 0 after ``--help``."""
    parser = argparse.ArgumentParser(
        prog="python -m annotator_core",
        description="Label texts with small models that vote.",
        epilog=EXIT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        command = cast(Command, import_module(f"annotator_core.cli.{name}"))
        command.add_parser(commands).set_defaults(command=command)
    named = parser.parse_args(arguments)
    return named.command, named


def add_command(
    commands: Subparsers, name: str, *, purpose: str, description: str, examples: str
) -> argparse.ArgumentParser:
    """Return the parser of a command; its help ends with the examples and the exit statuses."""
    return commands.add_parser(
        name,
        help=purpose,
        description=description,
        epilog=f"examples:\n{examples}\n{EXIT_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
