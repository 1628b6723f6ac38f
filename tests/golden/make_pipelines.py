"""Writes `pipelines.json`: what the reference's pipelines return for the calls of `pipeline_cases.py`.

Run with Python and transformers 4.36.2: `python -m tests.golden.make_pipelines`.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import transformers

from .pipeline_cases import run


def main() -> None:
    """Run every call and write the file."""
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    results = run(transformers)
    path = Path(__file__).with_name("pipelines.json")
    path.write_text(
        json.dumps(results, indent=None, separators=(",", ":")).replace('},"', '},\n"') + "\n", encoding="utf-8"
    )
    failed = [name for name, result in results.items() if isinstance(result, dict) and "error" in result]
    print(f"{len(results)} calls, {len(failed)} of them errors: {failed}")


if __name__ == "__main__":
    main()
