"""Pipelines over adapters of `peft`: base model, adapter and tokenizer are found from the adapter's folder."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from peft import LoraConfig, get_peft_model
import isoform, torch
from tests.golden.pipeline_cases import PIPELINES

base = PIPELINES["generate"](isoform)
base.save_pretrained("base")
plain = base("the cat", max_new_tokens=6)
model = isoform.AutoModelForCausalLM.from_pretrained("base")
tuned = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["query_key_value"]))
torch.manual_seed(0)
for name, parameter in tuned.named_parameters():
    if "lora" in name:
        torch.nn.init.normal_(parameter, std=1.0)
tuned.save_pretrained("adapter")

pipe = isoform.pipeline("text-generation", model="adapter", do_sample=False)
assert type(pipe.model).__name__ == "GPTNeoXForCausalLM"
assert type(pipe.tokenizer).__name__ == "PreTrainedTokenizerFast"
found = pipe("the cat", max_new_tokens=6)
tokens = pipe.tokenizer("the cat", add_special_tokens=False, return_tensors="pt")
expected = tuned.generate(**tokens, max_new_tokens=6, do_sample=False)[0]
assert found[0]["generated_text"] == base.tokenizer.decode(expected, skip_special_tokens=True), (found, expected)
assert found != plain
"""


@pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="peft is not installed")
def test_adapter_folder(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "isoform.compat", "program.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
