"""Lines of code per architecture, here and in the reference.

    python tools/count_lines.py [--reference FOLDER] [NAME ...]

FOLDER is where `transformers` 4.36.2 is installed (`site-packages/transformers`), or a checkout's `src/transformers`.
Counted are lines that hold code: no blank lines, comments or docstrings, the same way on both sides. The reference's
TensorFlow, Flax and conversion files are left out; so are its tests, which an installed package does not hold (give a
checkout to count them). A file that several architectures share here (`layers`, `heads`) is in the last lines.
"""

from __future__ import annotations

import argparse
import ast
import tokenize
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("modeling", "configuration", "tokenization", "image_processing", "feature_extraction", "processing")
SHARED = (("layers", "layers/*.py"), ("heads", "heads/*.py"))


def code_lines(path: Path) -> int:
    """Lines of `path` with at least a part of a token that is neither a comment nor in a docstring."""
    source = path.read_text()
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    with path.open("rb") as file:
        found = {
            line
            for token in tokenize.tokenize(file.readline)
            if token.type not in skipped and token.type != tokenize.ENCODING
            for line in range(token.start[0], token.end[0] + 1)
        }
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and body:
            first = body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                found -= set(range(first.lineno, first.end_lineno + 1))  # type: ignore[operator]
    return len(found)


def total(paths: Iterable[Path]) -> int:
    return sum(map(code_lines, paths))


def of_kind(folder: Path, kind: str) -> list[Path]:
    """The files of one kind in an architecture's folder, without those of TensorFlow and Flax."""
    files = folder.glob(f"{kind}_*.py")
    return [path for path in files if not path.stem.startswith((f"{kind}_tf_", f"{kind}_flax_"))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, help="the reference's package folder")
    parser.add_argument("names", nargs="*", metavar="NAME", help="architectures; all by default")
    options = parser.parse_args()
    here = ROOT / "isoform" / "models"
    names = options.names or sorted(p.name for p in here.iterdir() if (p / "__init__.py").exists())
    sums = dict.fromkeys((*KINDS, "tests"), (0, 0))
    print(f"{'':26s}" + "".join(f"{kind[:16]:>19s}" for kind in (*KINDS, "tests")) + f"{'all':>19s}")
    for name in names:
        if name == "auto":
            continue
        cells = {}
        for kind in KINDS:
            theirs = options.reference and total(of_kind(options.reference / "models" / name, kind))
            cells[kind] = total(of_kind(here / name, kind)), theirs or 0
        tests = options.reference and options.reference.parent.parent / "tests" / "models" / name
        theirs = total(p for p in tests.glob("*.py") if "_tf_" not in p.stem and "_flax_" not in p.stem) if tests else 0
        cells["tests"] = total((ROOT / "tests").rglob(f"test_*{name}*.py")), theirs
        for kind, (ours, theirs) in cells.items():
            sums[kind] = sums[kind][0] + ours, sums[kind][1] + theirs
        print(line(name, cells))
    print(line("sum", sums))
    print()
    for title, pattern in SHARED:
        print(f"shared: {title:19s}{total((ROOT / 'isoform').glob(pattern)):6d}")
    print(f"shared: {'contract tests':19s}{total((ROOT / 'tests' / 'contract').glob('*.py')):6d}")


def line(name: str, cells: dict[str, tuple[int, int]]) -> str:
    """`ours / theirs (share)` for each kind and in all."""
    pairs = [*cells.values(), tuple(map(sum, zip(*cells.values())))]

    def cell(ours: int, theirs: int) -> str:
        return f"{ours} / {theirs} ({ours / theirs:.0%})" if theirs else str(ours or "")

    return f"{name:26s}" + "".join(f"{cell(*pair):>19s}" for pair in pairs)


if __name__ == "__main__":
    main()
