"""`python -m isoform.compat script.py ARGUMENTS`: runs a program in which `import transformers` means isoform."""

from __future__ import annotations

import os
import runpy
import sys

from . import install

USAGE = """usage: python -m isoform.compat SCRIPT [ARGUMENTS...]
       python -m isoform.compat -m MODULE [ARGUMENTS...]
       python -m isoform.compat -c CODE [ARGUMENTS...]

Runs a Python program in which `import transformers` means isoform."""


def main(arguments: list[str]) -> int:
    """Runs the program; returns 2 after a wrong call."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    is_option = arguments[:1] in (["-m"], ["-c"])
    if not arguments or len(arguments) < 1 + is_option or (arguments[0].startswith("-") and not is_option):
        print(USAGE, file=sys.stderr)
        return 2
    install()
    if not is_option:
        if not os.path.exists(arguments[0]):
            print(f"isoform.compat: there is no file {arguments[0]!r}", file=sys.stderr)
            return 2
        sys.argv = arguments
        if not getattr(sys.flags, "safe_path", False):  # the script finds the modules beside it, unless `python -P`
            sys.path[0] = os.path.dirname(os.path.abspath(arguments[0]))
        runpy.run_path(arguments[0], run_name="__main__")
    elif arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = ["-c", *arguments[2:]]
        exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
