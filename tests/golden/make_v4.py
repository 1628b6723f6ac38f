"""Writes v4_scripts.json: what `tests/v4_scripts.py` gives on the reference. Run with an interpreter that has it:

python -m tests.golden.make_v4
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import transformers

from tests.v4_scripts import SCRIPTS, plain

assert transformers.__version__ == "4.36.2"

results = {}
for name, script in SCRIPTS.items():
    with tempfile.TemporaryDirectory() as folder:
        results[name] = plain(script(transformers, folder))
Path(__file__).with_name("v4_scripts.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
