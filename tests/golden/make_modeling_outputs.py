"""Writes `modeling_outputs.json`: the fields of each output class of the reference (transformers 4.36.2).

Run it with a Python that has the reference: `python tests/golden/make_modeling_outputs.py`.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from transformers import modeling_outputs

classes = {
    name: [field.name for field in dataclasses.fields(value)]
    for name, value in sorted(vars(modeling_outputs).items())
    if dataclasses.is_dataclass(value) and value.__module__ == modeling_outputs.__name__
}
Path(__file__).with_name("modeling_outputs.json").write_text(json.dumps(classes, indent=1) + "\n")
