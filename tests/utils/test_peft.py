"""`peft` on top of isoform, unchanged, through the alias; and the adapters that models handle themselves.

`peft` imports `transformers`, so each test is a program that runs under `python -m isoform.compat`.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="peft is not installed")

START = """
import os, sys, torch
from peft import (IA3Config, LoraConfig, PeftModel, PrefixTuningConfig, PromptTuningConfig, get_peft_model)
from transformers import AutoModelForCausalLM, OPTConfig, OPTForCausalLM, set_seed

base, adapter = "base", "adapter"
ids = torch.arange(3, 19)[None].repeat(2, 1)
lora = dict(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"])

def load():
    return OPTForCausalLM.from_pretrained(base)

def logits(model):
    with torch.no_grad():
        return model.eval()(input_ids=ids).logits

def same(a, b):
    return torch.allclose(a, b, atol=1e-5)

set_seed(0)
if not os.path.exists(base):
    OPTForCausalLM(OPTConfig(
        vocab_size=64, hidden_size=16, num_hidden_layers=2, ffn_dim=32, num_attention_heads=2,
        max_position_embeddings=32, word_embed_proj_dim=16, dropout=0.0,
    )).save_pretrained(base)

model = get_peft_model(load(), LoraConfig(**lora))
trained = [p for p in model.parameters() if p.requires_grad]
assert sum(p.numel() for p in trained) == 2 * 2 * 2 * 16 * 4  # layers, projections, A and B, width, rank
optimizer = torch.optim.AdamW(trained, lr=3e-2)
losses = []
for _ in range(6):
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
assert losses[-1] < losses[0] - 0.01, losses
learned = logits(model)
model.save_pretrained(adapter)
"""


@pytest.fixture
def run(tmp_path):
    def run(program):
        (tmp_path / "program.py").write_text(START + program)
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HF_HUB_OFFLINE": "1"}
        command = [sys.executable, "-m", "isoform.compat", "program.py"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    return run


def test_train_save_load_and_merge(run):
    run(
        """
assert sorted(os.listdir(adapter)) == ["README.md", "adapter_config.json", "adapter_model.safetensors"]
assert not same(logits(load()), learned)
loaded = PeftModel.from_pretrained(load(), adapter)
assert loaded.peft_config["default"].base_model_name_or_path == base
assert same(logits(loaded), learned)
with loaded.disable_adapter():
    assert same(logits(loaded), logits(load()))
merged = loaded.merge_and_unload()
assert type(merged) is OPTForCausalLM and same(logits(merged), learned)
merged.save_pretrained("merged")
assert same(logits(OPTForCausalLM.from_pretrained("merged")), learned)
prompt = dict(input_ids=ids[:, :4], max_new_tokens=5, do_sample=False)
assert torch.equal(model.generate(**prompt), merged.generate(**prompt))
"""
    )


def test_other_methods_of_peft(run):
    run(
        """
for config in (IA3Config(task_type="CAUSAL_LM"), PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3),
               PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)):
    tuned = get_peft_model(load(), config)
    tuned(input_ids=ids, labels=ids).loss.backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in tuned.parameters()), config
    assert tuned.eval().generate(input_ids=ids[:, :4], max_new_tokens=3, min_new_tokens=3).shape == (2, 7), config
"""
    )


def test_adapters_of_models(run):
    run(
        """
plain = logits(load())
model = load()
model.load_adapter(adapter)
assert same(logits(model), learned) and model.active_adapters() == ["default"]
model.disable_adapters()
assert same(logits(model), plain)
model.enable_adapters()
assert same(logits(model), learned)
model.add_adapter(LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False), "other")
assert model.active_adapters() == ["other"] and not same(logits(model), learned)
assert len(model.get_adapter_state_dict()) == 4 and len(model.get_adapter_state_dict("default")) == 8
model.set_adapter("default")
assert same(logits(model), learned)
model.save_pretrained("saved")
assert sorted(os.listdir("saved")) == ["adapter_config.json", "adapter_model.safetensors"]
assert same(logits(PeftModel.from_pretrained(load(), "saved")), learned)
assert same(logits(AutoModelForCausalLM.from_pretrained("saved")), learned)
assert same(logits(OPTForCausalLM.from_pretrained("saved")), learned)

from peft import get_peft_model_state_dict
state = get_peft_model_state_dict(PeftModel.from_pretrained(load(), adapter))
again = load()
again.load_adapter(peft_config=LoraConfig(**lora), adapter_state_dict=state)
assert same(logits(again), learned)
"""
    )


def test_errors(run):
    run(
        """
def fails(message, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except ValueError as error:
        assert message in str(error), error
    else:
        raise SystemExit(f"no error: {message}")

model = load()
fails("The model has no adapter", model.set_adapter, "default")
fails("The model has no adapter", model.active_adapters)
fails("Pass `peft_model_id`, or both", model.load_adapter)
fails("base holds no adapter: there is no file adapter_config.json", model.load_adapter, base)
fails("adapter_config must be a peft.PeftConfig, found dict", model.add_adapter, {})
model.load_adapter(adapter)
fails("There is already an adapter called 'default'", model.load_adapter, adapter)
fails("There is no adapter called 'none': expected one of default", model.set_adapter, ["default", "none"])
"""
    )
