"""Make the golden cases `<Class>@<variant>`: settings that the plain cases leave at their defaults.

    python tests/golden/make_variants.py        # in an environment with torch==2.13.0 transformers==4.36.2

Each entry below changes some settings of a plain case, its inputs, or both.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from make_golden import read, write

FOLDER = Path(__file__).parent
ROPE = {"rope_scaling": {"type": "linear", "factor": 2.5}}
DYNAMIC = {"rope_scaling": {"type": "dynamic", "factor": 3.0}, "max_position_embeddings": 4}


def left_padded(inputs: dict) -> dict:
    mask = torch.ones_like(inputs["input_ids"])
    mask[0, :3] = 0
    changes = {"attention_mask": mask}
    if "labels" in inputs:
        # What a query that sees nothing predicts depends on rounding at the mask constant: keep it out of the loss.
        changes["labels"] = inputs["labels"].clone()
        changes["labels"][0, :4] = -100
    return changes


def head_mask(layers: int, heads: int):
    def make(inputs: dict) -> dict:
        return {"head_mask": torch.linspace(0, 1, layers * heads).view(layers, heads)}

    return make


def encoder_states(inputs: dict) -> dict:
    generator = torch.Generator().manual_seed(0)
    batch = inputs["input_ids"].shape[0]
    mask = torch.ones(batch, 6, dtype=torch.long)
    mask[:, 4:] = 0
    states = torch.randn(batch, 6, 32, generator=generator)
    return {"encoder_hidden_states": states, "encoder_attention_mask": mask}


def positions(inputs: dict) -> dict:
    return {"position_ids": torch.arange(inputs["input_ids"].shape[1])[None] + 2}


def float_labels(columns: int):
    def make(inputs: dict) -> dict:
        rows = inputs["input_ids"].shape[0]
        shape = (rows,) if columns == 1 else (rows, columns)
        return {"labels": (torch.arange(rows * columns).view(shape) % 2).float()}

    return make


# (plain case, variant, changed settings, makers of further inputs)
VARIANTS = [
    ("opt/OPTForCausalLM", "postnorm", {"do_layer_norm_before": False, "word_embed_proj_dim": 8}, ()),
    ("opt/OPTForCausalLM", "nobias", {"enable_bias": False, "layer_norm_elementwise_affine": False}, (left_padded,)),
    ("opt/OPTModel", "nofinalnorm", {"_remove_final_layer_norm": True}, (head_mask(2, 4),)),
    ("opt/OPTForSequenceClassification", "multilabel", {"num_labels": 3}, (float_labels(3),)),
    ("opt/OPTForSequenceClassification", "regression", {"num_labels": 1}, (float_labels(1),)),
    ("gpt2/GPT2LMHeadModel", "cross", {"add_cross_attention": True, "is_decoder": True}, (encoder_states,)),
    ("gpt2/GPT2Model", "crossheads", {"add_cross_attention": True}, (encoder_states, head_mask(2, 4))),
    ("gpt2/GPT2LMHeadModel", "scaling", {"scale_attn_by_inverse_layer_idx": True, "reorder_and_upcast_attn": True,
                                         "n_inner": None, "tie_word_embeddings": False}, (left_padded,)),
    ("gpt2/GPT2Model", "unscaled", {"scale_attn_weights": False, "activation_function": "relu"},
     (head_mask(2, 4), positions)),
    ("gpt2/GPT2DoubleHeadsModel", "last", {"summary_type": "last", "summary_activation": "tanh"}, ()),
    ("gptj/GPTJForCausalLM", "partial", {"rotary_dim": 6, "n_inner": 24}, (left_padded,)),
    ("gptj/GPTJModel", "positions", {"activation_function": "silu"}, (head_mask(2, 4), positions)),
    ("codegen/CodeGenForCausalLM", "wide", {"n_head": 8, "rotary_dim": 2, "n_inner": 20}, (left_padded,)),
    ("gpt_neox/GPTNeoXForCausalLM", "sequential", {"use_parallel_residual": False, "rotary_pct": 1.0, **ROPE},
     (left_padded,)),
    ("gpt_neox/GPTNeoXModel", "dynamic", {**DYNAMIC, "hidden_act": "gelu_new"}, (head_mask(2, 4),)),
    ("llama/LlamaForCausalLM", "grouped", {"num_key_value_heads": 2, "attention_bias": True, **ROPE}, (left_padded,)),
    ("llama/LlamaForCausalLM", "dynamic", {"num_key_value_heads": 1, "hidden_act": "silu", **DYNAMIC}, ()),
    ("llama/LlamaModel", "tp", {"pretraining_tp": 2, "intermediate_size": 36}, ()),
    ("mistral/MistralForCausalLM", "window", {"sliding_window": 3, "num_key_value_heads": 1}, (left_padded,)),
    ("phi/PhiForCausalLM", "qknorm", {"qk_layernorm": True, **ROPE}, (left_padded,)),
    ("phi/PhiModel", "dynamic", {"partial_rotary_factor": 1.0, "hidden_act": "relu", **DYNAMIC}, ()),
    ("ctrl/CTRLLMHeadModel", "padded", {"n_head": 2, "dff": 20}, (left_padded,)),
    ("ctrl/CTRLForSequenceClassification", "epsilon", {"layer_norm_epsilon": 1e-2}, ()),
    ("ctrl/CTRLModel", "masked", {"n_layer": 3}, (head_mask(3, 4),)),
]  # fmt: skip


def main() -> None:
    torch.set_num_threads(1)
    for plain, variant, changes, makers in VARIANTS:
        spec, inputs, _, _ = read(FOLDER / f"{plain}.safetensors")
        spec["config"].update(changes)
        if spec["config"].get("num_labels"):
            count = spec["config"].pop("num_labels")
            spec["config"]["id2label"] = {i: f"LABEL_{i}" for i in range(count)}
            spec["config"]["label2id"] = {f"LABEL_{i}": i for i in range(count)}
        for make in makers:
            inputs.update(make(inputs))
        spec["loss"] = bool(spec["labels"])
        if spec["config"].get("rope_scaling", None) == DYNAMIC["rope_scaling"]:
            spec["generate"] = (
                None  # the reference keeps the table of the longest text so far: results depend on history
            )
        path = FOLDER / f"{plain}@{variant}.safetensors"
        write(json.loads(json.dumps(spec)), inputs, str(path))
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
