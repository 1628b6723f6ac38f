"""Write `isoform/__init__.pyi`, the list of public names for editors and type checkers.

    python tools/make_stubs.py            # write
    python tools/make_stubs.py --check    # exit with 1 if the file is not up to date

The names come from the same tables as those at run time; nothing but these tables is imported.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STUB = ROOT / "isoform" / "__init__.pyi"
HEADER = '''# fmt: off
# ruff: noqa: E501, I001
"""Public names of isoform. Written by tools/make_stubs.py; do not edit."""

from . import models as models
'''


def stub_text() -> str:
    """The contents that the file should have."""
    import isoform

    lines = [f"from .{entry.module} import {name} as {name}" for name, entry in isoform.public_names().items()]
    return HEADER + "\n".join(sorted(lines)) + "\n\n__version__: str\n"


def main(arguments: list[str]) -> int:
    text = stub_text()
    if "--check" in arguments:
        current = STUB.read_text(encoding="utf-8") if STUB.exists() else ""
        if current != text:
            print(f"{STUB} is not up to date: run python tools/make_stubs.py", file=sys.stderr)
        return int(current != text)
    STUB.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
