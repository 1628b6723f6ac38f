"""What the reference reports and computes where a model is loaded, resized, pruned or asked about itself.

    python tests/golden/make_loading.py        # in an environment with torch==2.13.0 transformers==4.36.2

`run(library, folder)` is the scenario; the reference's answers are kept in `loading.json`, and the tests run the same
with isoform.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).parent))
from fill_weights import fill_weights

ANSWERS = Path(__file__).parent / "loading.json"

NEOX = {
    "num_hidden_layers": 2,
    "hidden_size": 8,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 11,
    "max_position_embeddings": 16,
    "rotary_pct": 0.5,
}
GPT2 = {
    "n_layer": 2,
    "n_embd": 8,
    "n_head": 2,
    "vocab_size": 11,
    "n_positions": 16,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])


def plain(value: Any) -> Any:
    """A value as JSON has it; tensors as nested lists."""
    if isinstance(value, torch.Tensor):
        return [float(x) for x in value.detach().float().flatten()]
    if isinstance(value, torch.Size):
        return list(value)
    if isinstance(value, (list, tuple)):
        return [plain(x) for x in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    return value


def without(fragment: str):
    return lambda state: {k: v for k, v in state.items() if fragment not in k}


def renamed(old: str, new: str):
    return lambda state: {k.replace(old, new): v for k, v in state.items()}


def plus(**extra: torch.Tensor):
    return lambda state: {**state, **{k.replace("__", "."): v for k, v in extra.items()}}


# name: (class to save, class to load, change of the saved state, arguments of from_pretrained)
LOADS = {
    "same": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", None, {}),
    "head into body": ("GPTNeoXForCausalLM", "GPTNeoXModel", None, {}),
    "body into head": ("GPTNeoXModel", "GPTNeoXForCausalLM", None, {}),
    "head into other head": ("GPTNeoXForCausalLM", "GPTNeoXForSequenceClassification", None, {}),
    "missing": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", without("mlp"), {}),
    "missing in body": ("GPTNeoXForCausalLM", "GPTNeoXModel", without("mlp"), {}),
    "missing in unprefixed": ("GPTNeoXModel", "GPTNeoXForCausalLM", without("mlp"), {}),
    "unexpected": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", plus(extra__w=torch.zeros(2)), {}),
    "unexpected in body": (
        "GPTNeoXForCausalLM", "GPTNeoXModel", plus(gpt_neox__layers__7__x=torch.zeros(1)), {},
    ),
    "tied, one stored": (
        "GPTNeoXForCausalLM", "GPTNeoXForCausalLM", without("embed_out"), {"tie_word_embeddings": True},
    ),
    "tied, other stored": (
        "GPTNeoXForCausalLM", "GPTNeoXForCausalLM", without("embed_in"), {"tie_word_embeddings": True},
    ),
    "tied, none stored": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", without("embed"), {"tie_word_embeddings": True}),
    "not tied, one stored": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", without("embed_out"), {}),
    "old names": (
        "GPTNeoXForCausalLM", "GPTNeoXForCausalLM",
        lambda s: renamed("layernorm.bias", "layernorm.beta")(renamed("layernorm.weight", "layernorm.gamma")(s)), {},
    ),
    "mismatched": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", None, {"vocab_size": 13}),
    "mismatched, allowed": (
        "GPTNeoXForCausalLM", "GPTNeoXForCausalLM", None, {"vocab_size": 13, "ignore_mismatched_sizes": True},
    ),
    "mixed up": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", renamed("gpt_neox.", ""), {}),
    "old buffers": (
        "GPT2LMHeadModel", "GPT2LMHeadModel",
        plus(transformer__h__0__attn__bias=torch.ones(1, 16), transformer__h__0__attn__masked_bias=torch.zeros(1)),
        {},
    ),
    "gpt2 body into double heads": ("GPT2Model", "GPT2DoubleHeadsModel", None, {}),
    "dtype not floating": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", None, {"torch_dtype": torch.int8}),
    "bad device map": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", None, {"device_map": "nowhere"}),
    "bad attention": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", None, {"attn_implementation": "nothing"}),
    "no flash attention": (
        "GPTNeoXForCausalLM", "GPTNeoXForCausalLM", None, {"attn_implementation": "flash_attention_2"},
    ),
    "no variant": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", None, {"variant": "fp16"}),
    "no bin": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", None, {"use_safetensors": False}),
    "unknown argument": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", None, {"nonsense": 1}),
    "argument of the config": ("GPTNeoXForCausalLM", "GPTNeoXForCausalLM", None, {"output_attentions": True}),
}  # fmt: skip


def make(lib: Any, name: str, **settings: Any) -> Any:
    config = lib.GPT2Config(**{**GPT2, **settings}) if "GPT2" in name else lib.GPTNeoXConfig(**{**NEOX, **settings})
    return fill_weights(getattr(lib, name)(config)).eval()


def load(lib: Any, folder: str, case: tuple) -> dict[str, Any]:
    """The loading info and the sums of the weights that came from the checkpoint, or the kind of error."""
    saved, loaded, change, arguments = case
    make(lib, saved).save_pretrained(folder)
    if change is not None:
        path = os.path.join(folder, "model.safetensors")
        save_file(change(load_file(path)), path, metadata={"format": "pt"})
    torch.manual_seed(0)
    try:
        model, info = getattr(lib, loaded).from_pretrained(folder, output_loading_info=True, **arguments)
    except Exception as error:
        kinds = (TypeError, RuntimeError, ImportError, ValueError, OSError)
        return {"error": next(kind.__name__ for kind in kinds if isinstance(error, kind))}
    info["mismatched_keys"] = sorted([key, list(a), list(b)] for key, a, b in info["mismatched_keys"])
    # Not compared: weights of a refused shape, which the reference leaves uninitialised, and a head beside a tied one,
    # for which it draws random numbers that it then overwrites.
    undefined = {key for key, _, _ in info["mismatched_keys"]}
    weights = {
        name: float(value.detach().double().sum())
        for name, value in model.named_parameters()
        if name not in undefined and "multiple_choice" not in name
    }
    sorted_info = {key: sorted(value) for key, value in info.items()}
    return {**sorted_info, "training": model.training, "sums": weights}


def facts(lib: Any) -> dict[str, Any]:
    """What a model says about itself, and the masks that it makes."""
    model = make(lib, "GPTNeoXForCausalLM")
    for parameter in model.embed_out.parameters():
        parameter.requires_grad_(False)
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0]])
    cube = torch.tril(torch.ones(2, 3, 3))
    decoder = make(lib, "GPTNeoXForCausalLM", is_decoder=True)
    pair = model.get_head_mask(torch.tensor([1.0, 0.0]), 2)
    grid = model.get_head_mask(torch.tensor([[1.0, 0.0], [0.5, 1.0]]), 2, True)
    return {
        "invert 2d": model.invert_attention_mask(mask),
        "invert 3d": model.invert_attention_mask(cube),
        "extended 2d": model.get_extended_attention_mask(mask, (2, 4)),
        "extended 3d": model.get_extended_attention_mask(cube, (2, 3)),
        "extended decoder": decoder.get_extended_attention_mask(mask, (2, 4)),
        "extended half": model.get_extended_attention_mask(mask, (2, 4), dtype=torch.float16),
        "decoder with past": model.create_extended_attention_mask_for_decoder((2, 2), mask),
        "head mask": pair,
        "head mask shape": pair.shape,
        "head mask chunked": grid,
        "head mask chunked shape": grid.shape,
        "no head mask": model.get_head_mask(None, 2),
        "parameters": model.num_parameters(),
        "trainable": model.num_parameters(only_trainable=True),
        "without embeddings": model.num_parameters(exclude_embeddings=True),
        "tokens": model.estimate_tokens({"input_ids": IDS}),
        "operations": model.floating_point_ops({"input_ids": IDS}),
        "operations with embeddings": model.floating_point_ops({"input_ids": IDS}, exclude_embeddings=False),
        "footprint": model.get_memory_footprint(return_buffers=False),
        "dummy": model.dummy_inputs["input_ids"],
        "can generate": [model.can_generate(), model.gpt_neox.can_generate()],
        "framework": model.framework,
        "dtypes": [str(model.dtype), str(model.half().dtype), str(model.device)],
    }


def shapes(model: Any) -> dict[str, Any]:
    return {
        name: list(value.shape) for name, value in model.state_dict().items() if not name.endswith(("bias", "inv_freq"))
    }


def changes(lib: Any) -> dict[str, Any]:
    """Vocabularies resized, heads pruned."""
    found: dict[str, Any] = {}
    for name, settings in (("GPTNeoXForCausalLM", {}), ("GPT2LMHeadModel", {}), ("GPTNeoXModel", {})):
        for label, arguments in {
            "grow": {"new_num_tokens": 14},
            "shrink": {"new_num_tokens": 9},
            "pad": {"pad_to_multiple_of": 8},
            "grow and pad": {"new_num_tokens": 17, "pad_to_multiple_of": 8},
            "same": {"new_num_tokens": 11},
            "nothing": {},
        }.items():
            model = make(lib, name, **settings)
            returned = model.resize_token_embeddings(**arguments)
            with torch.no_grad():
                output = model(IDS)[0]
            found[f"{name} {label}"] = {
                "shapes": shapes(model),
                "returned": list(returned.weight.shape),
                "vocab_size": model.config.vocab_size,
                "tied": name.startswith("GPT2") and model.lm_head.weight is returned.weight,
                "output": output[..., :8],
            }
    model = make(lib, "GPT2Model")
    model.prune_heads({0: [1], 1: [0]})
    with torch.no_grad():
        found["pruned"] = {"shapes": shapes(model), "output": model(IDS)[0], "config": model.config.pruned_heads}
    return found


def pieces(lib: Any) -> dict[str, Any]:
    """Modules and functions of modeling_utils and pytorch_utils."""
    import importlib

    utils = importlib.import_module(f"{lib.__name__}.modeling_utils")
    torch_utils = importlib.import_module(f"{lib.__name__}.pytorch_utils")
    hidden = torch.linspace(-1, 1, 2 * 5 * 8).view(2, 5, 8).sin()
    index = torch.tensor([1, 3])
    found: dict[str, Any] = {}
    for label, settings in {
        "cls_index": {},
        "last": {"summary_type": "last"},
        "first": {"summary_type": "first", "summary_activation": "tanh"},
        "mean": {"summary_type": "mean", "summary_proj_to_labels": False},
        "none": {"summary_use_proj": False, "summary_activation": "gelu"},
    }.items():
        summary = fill_weights(utils.SequenceSummary(lib.GPT2Config(**GPT2, num_labels=3, **settings))).eval()
        found[f"summary {label}"] = summary(hidden)
        found[f"summary {label} at"] = summary(hidden, index)
    config = lib.GPT2Config(**GPT2, layer_norm_eps=1e-12, start_n_top=2, end_n_top=3)
    head = fill_weights(utils.SQuADHead(config)).eval()
    mask = torch.tensor([[0.0, 0, 0, 0, 1], [1, 0, 0, 0, 0]])
    for label, arguments in {
        "spans": {"cls_index": index},
        "spans masked": {"p_mask": mask},
        "loss": {"start_positions": index, "end_positions": index + 1},
        "loss full": {
            "start_positions": index[:, None], "end_positions": index[:, None] + 1,
            "cls_index": index, "is_impossible": torch.tensor([0.0, 1.0]), "p_mask": mask,
        },
    }.items():  # fmt: skip
        found[f"squad {label}"] = list(head(hidden, **arguments))
    state = {f"w{i}": torch.zeros(10 + i) for i in range(6)}
    state["shared"] = state["w1"]
    for size in (100, 160, "1KB", 10**9):
        shards, index_ = utils.shard_checkpoint(state, size, "pytorch_model.bin")
        found[f"shards of {size}"] = [{name: sorted(shard) for name, shard in shards.items()}, index_]
    found["byte sizes"] = [utils.dtype_byte_size(d) for d in (torch.bool, torch.int8, torch.float16, torch.float64)]
    found["pruneable"] = [
        sorted(torch_utils.find_pruneable_heads_and_indices([0, 2], 3, 2, {1})[0]),
        torch_utils.find_pruneable_heads_and_indices([2], 3, 2, {1})[1],
    ]
    layer = fill_weights(torch_utils.Conv1D(6, 4))
    found["conv1d"] = layer(torch.linspace(0, 1, 8).view(2, 4))
    found["conv1d pruned"] = torch_utils.prune_layer(layer, torch.tensor([0, 2])).weight
    found["conv1d pruned inputs"] = torch_utils.prune_layer(layer, torch.tensor([1, 2]), dim=0).weight
    linear = fill_weights(torch.nn.Linear(4, 3))
    pruned = torch_utils.prune_layer(linear, torch.tensor([2]))
    found["linear pruned"] = [pruned.weight, pruned.bias]
    found["linear pruned inputs"] = torch_utils.prune_layer(linear, torch.tensor([0, 3]), dim=1).weight
    found["chunked"] = torch_utils.apply_chunking_to_forward(lambda x: x * 2, 2, 1, hidden[:, :4])
    return found


def run(lib: Any, folder: str) -> dict[str, Any]:
    """All scenarios; `folder` is an empty folder for checkpoints."""
    loads = {}
    for number, (name, case) in enumerate(LOADS.items()):
        loads[name] = load(lib, os.path.join(folder, str(number)), case)
    return plain({"loads": loads, "facts": facts(lib), "changes": changes(lib), "pieces": pieces(lib)})


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers

    with tempfile.TemporaryDirectory() as temporary:
        text = json.dumps(run(transformers, temporary), indent=None, sort_keys=True)
    ANSWERS.write_text(text + "\n")
    print(f"wrote {ANSWERS}: {len(text)} characters")
