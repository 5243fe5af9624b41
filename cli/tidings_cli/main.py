"""The entry point of the `tidings` command."""

from __future__ import annotations

import argparse
import os
import pkgutil
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from tidings_cli import commands
from tidings_cli.errors import CommandFailed

# What shells expect of a command that Ctrl-C ended.
INTERRUPTED = 130
GIVEN_WRONGLY = 2


class Command(Protocol):
    """What a module of `tidings_cli.commands` offers."""

    register: Callable[[Any], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 given wrongly, 130 stopped."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    loaded = _loaded(arguments)
    parser = _parser(loaded)
    if not arguments:
        parser.print_help(sys.stderr)
        return GIVEN_WRONGLY
    args = parser.parse_args(arguments)
    try:
        return loaded[args.command].run(args)
    except CommandFailed as error:
        print(f"tidings {args.command}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough; what is left of it must not fail when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser_of(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of a command line."""
    return _parser(_loaded(arguments))


def _loaded(arguments: Sequence[str]) -> dict[str, Command]:
    """The command that was named, so that one command's packages never slow another down; all, if none was."""
    names = sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__))
    wanted = [name for name in names if arguments and name == arguments[0]] or names
    modules = {name: f"{commands.__name__}.{name.replace('-', '_')}" for name in wanted}
    return {name: cast(Command, import_module(module)) for name, module in modules.items()}


def _parser(loaded: dict[str, Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tidings", description="Customer engagement in your own AWS account.")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in loaded.values():
        command.register(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
