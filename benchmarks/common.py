"""What the benchmarks share: runs in processes of their own, two libraries in turn."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def run(python: str, code: str, threads: int, *arguments: str) -> str:
    """The last line that a new process prints.

    Raises:
        RuntimeError: it failed; the message holds the end of what it said.
    """
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [python, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{python} failed:\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()[-1]


def in_turns(options: argparse.Namespace, code: str, case: Any) -> dict[str, dict[str, float]]:
    """Medians over `options.rounds` of the numbers that `code` prints as JSON, for each library.

    `code` gets the library's name, the number of threads and the case, as JSON, in `sys.argv`.
    """
    pythons = {"transformers": options.peer_python, "isoform": sys.executable}
    found: dict[str, list[dict[str, float]]] = {library: [] for library in pythons}
    for _ in range(options.rounds):
        for library, python in pythons.items():
            line = run(python, code, options.threads, library, str(options.threads), json.dumps(case))
            found[library].append(json.loads(line))
    return {
        library: {key: statistics.median(one[key] for one in runs) for key in runs[0]}
        for library, runs in found.items()
    }


def parser(description: str | None, cases: list[str], rounds: int = 3) -> argparse.ArgumentParser:
    """The options that all have: the peer's Python, rounds, threads and cases."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--peer-python", required=True, help="the Python of an environment with the newest transformers")
    made.add_argument("--rounds", type=int, default=rounds)
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--cases", nargs="+", default=cases, choices=cases, metavar="NAME", help=", ".join(cases))
    return made
