"""The command line `isoform`: run pipelines, generate, chat, and look at models and at the installation.

Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted. Failures print one message; `--debug` (or the variable
ISOFORM_DEBUG) prints the traceback too.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .common import UsageError

__all__ = ["default_model_path", "main"]

# Command -> module in this package, summary.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "run a pipeline on texts, files or standard input"),
    "generate": ("generate", "continue a prompt, printing the text as it is made"),
    "chat": ("chat", "talk with a model"),
    "inspect": ("inspection", "describe a model without loading its weights"),
    "download": ("download", "fetch a model from the Hub into the cache"),
    "env": ("env", "print the versions and devices in use, for bug reports"),
}

DEBUG_HELP = "print tracebacks of failures (or set ISOFORM_DEBUG=1)"


def default_model_path() -> str | None:
    """The folder of the checkpoint that comes with the package; None if this installation lacks it."""
    folder = Path(__file__).resolve().parent.parent / "assets" / "shakespeare"
    return str(folder) if (folder / "config.json").is_file() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with `arguments` (those of the process by default) and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parse(given)
    except SystemExit as stop:  # argparse has printed help or an error
        return int(stop.code or 0)
    return 0 if options is None else _run(options)


def _parse(given: list[str]) -> argparse.Namespace | None:
    """The options of the command; None if nothing is left to do. Only the chosen command's module is loaded."""
    position = next((index for index, argument in enumerate(given) if not argument.startswith("-")), len(given))
    before, command = given[:position], given[position : position + 1]
    overview = _overview()
    options = overview.parse_args([*before, *command])
    if options.version:
        from .. import __version__

        print(f"isoform {__version__}")
        return None
    if options.command is None:
        overview.print_help(sys.stderr)
        overview.exit(2)
    module, summary = COMMANDS[options.command]
    parser = argparse.ArgumentParser(
        prog=f"isoform {options.command}", description=f"{summary[0].upper()}{summary[1:]}."
    )
    parser.set_defaults(**vars(options))
    parser.add_argument("--debug", action="store_true", default=options.debug, help=DEBUG_HELP)
    importlib.import_module(f".{module}", __package__).configure(parser)
    return parser.parse_intermixed_args(given[position + 1 :])


def _overview() -> argparse.ArgumentParser:
    """The parser of what stands before a command, whose help lists the commands."""
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:{width}}  {summary}" for name, (_, summary) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="isoform",
        usage="isoform [-h] [--version] [--debug] COMMAND ...",
        description=f"Run, generate with, talk to and inspect models.\n\ncommands:\n{commands}",
        epilog="isoform COMMAND --help says more on each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=list(COMMANDS), metavar="COMMAND", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--debug", action="store_true", help=DEBUG_HELP)
    return parser


def _run(options: argparse.Namespace) -> int:
    """Run the chosen command; failures become a message and an exit code."""
    debug = options.debug or os.environ.get("ISOFORM_DEBUG", "").lower() in ("1", "true", "yes", "on")
    try:
        return importlib.import_module(f".{COMMANDS[options.command][0]}", __package__).execute(options) or 0
    except UsageError as error:
        print(f"isoform {options.command}: {error}\nTry: isoform {options.command} --help", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output is gone. Nothing more may be written there, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if debug:
            raise
        print(f"isoform {options.command}: {_message(error)}", file=sys.stderr)
        return 1


def _message(error: Exception) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    name = type(error).__name__
    if not text.strip():
        return name
    # The names of these say something that their messages leave out.
    return (
        f"{name}: {text}"
        if type(error).__module__ == "builtins" and not isinstance(error, (OSError, ValueError))
        else text
    )
