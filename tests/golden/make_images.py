"""Records what the reference's image processors return, for tests/images/test_golden.py.

python tests/golden/make_images.py        # needs transformers 4.36.2, torch and Pillow
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.images import cases  # noqa: E402


def stored(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """The result with arrays replaced by their names."""
    if isinstance(value, np.ndarray):
        # Half precision is finer than the differences that are allowed.
        arrays[name] = value.astype(np.float16) if value.dtype == np.float32 and value.ndim > 2 else value
        return f"{name}:{value.dtype}"
    if isinstance(value, dict):
        return {key: stored(item, f"{name}/{key}", arrays) for key, item in value.items()}
    if isinstance(value, list):
        return [stored(item, f"{name}/{index}", arrays) for index, item in enumerate(value)]
    return value


def main() -> None:
    warnings.simplefilter("ignore")
    import transformers
    from safetensors.numpy import save_file

    arrays: dict[str, np.ndarray] = {}
    answers = {}
    for index, (name, case) in enumerate(cases.CASES.items()):
        answers[name] = stored(cases.run(case, transformers), str(index), arrays)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("Yolos", "Detr"):
            result = cases.run(lambda lib, name=name: cases.panoptic(lib, name, folder), transformers)
            answers[f"{name}: panoptic"] = stored(result, f"panoptic-{name}", arrays)
    save_file(arrays, HERE / "images.safetensors")
    lines = [f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items()]
    (HERE / "images.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
