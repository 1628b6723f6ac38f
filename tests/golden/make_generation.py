"""Makes the expected results of the tests of `generate`, with the reference (transformers 4.36.2).

    python -m tests.golden.make_generation

Needs transformers 4.36.2. The cases are in tests/generation/cases.py; results go to
tests/golden/generation/generate.json.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import torch
import transformers

from tests.generation import cases

PATH = Path(__file__).parent / "generation" / "generate.json"


def main() -> None:
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    results = {}
    for key in cases.CASES:
        try:
            results[key] = cases.summary(cases.run(transformers, key))
        except Exception as error:
            raise RuntimeError(f"the reference cannot run {key}") from error
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in results.items())
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
