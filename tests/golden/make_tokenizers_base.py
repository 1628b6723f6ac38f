"""Records what the reference's tokenizer base classes do, for tests/tokenization/test_base.py.

python tests/golden/make_tokenizers_base.py        # needs transformers 4.36.2
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

os.environ["TOY_LIBRARY"] = "transformers"
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.tokenization import base_cases, toy  # noqa: E402


def main() -> None:
    answers: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        vocab = toy.write_vocab(folder)
        for kind, tokenizer in toy.KINDS.items():
            make = partial(tokenizer, vocab)
            answers[kind] = {name: base_cases.plain(case(make)) for name, case in base_cases.CASES.items()}
    # One line per case, so that a change shows as one.
    lines = [
        f'"{kind}": {{\n'
        + ",\n".join(f'"{name}": {json.dumps(v, ensure_ascii=False)}' for name, v in cases.items())
        + "\n}"
        for kind, cases in answers.items()
    ]
    (HERE / "tokenizers_base.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
