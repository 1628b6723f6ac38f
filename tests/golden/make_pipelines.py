"""Writes what the reference's pipelines return: `pipelines.json` for the calls of `pipeline_cases.py`, and
`pipelines_media.json` for those of `media_cases.py`.

Run with Python, transformers 4.36.2 and Pillow: `python -m tests.golden.make_pipelines`.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import transformers

from . import media_cases, pipeline_cases


def main() -> None:
    """Run every call and write the files."""
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    for file, cases in (("pipelines.json", pipeline_cases), ("pipelines_media.json", media_cases)):
        results = cases.run(transformers)
        path = Path(__file__).with_name(file)
        path.write_text(
            json.dumps(results, indent=None, separators=(",", ":")).replace('},"', '},\n"') + "\n", encoding="utf-8"
        )
        failed = [name for name, result in results.items() if isinstance(result, dict) and "error" in result]
        print(f"{len(results)} calls, {len(failed)} of them errors: {failed}")


if __name__ == "__main__":
    main()
