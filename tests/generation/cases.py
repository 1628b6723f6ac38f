"""Cases of `generate`, and how to run one with the reference or with ours; see `tests/golden/make_generation.py`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
from fill_weights import fill_weights

from . import toy

PROMPT = [[5, 6, 7, 8, 9], [11, 4, 13, 3, 22]]
LEFT_PADDED = [[0, 0, 5, 6, 7], [11, 4, 13, 3, 22], [0, 8, 8, 9, 30]]
MASK = [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 1]]
ALL = {"return_dict_in_generate": True, "output_scores": True}
EVERYTHING = {**ALL, "output_attentions": True, "output_hidden_states": True}
DIVERSE = {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.7}
ENDS = {"eos_token_id": [24, 25, 26, 27, 28, 29, 30, 31], "pad_token_id": 0}
CONTRASTIVE = {"penalty_alpha": 0.6, "top_k": 4}

# Left out, because the reference is wrong there: beam indices of groups (they count within the group), records of
# assisted decoding when a proposal is accepted in the first pass, and hidden states of padding. Other tests cover the
# first two.

# name -> arguments of `generate`. Besides those: "prompt", "mask", "embeds" (a batch and a length), "assistant" (a
# model), "negative", "prefix" (allowed tokens by parity of the length), "past" (how many tokens of the prompt are
# cached before).
DECODER_CASES: dict[str, dict[str, Any]] = {
    "greedy": {**EVERYTHING},
    "greedy_padded": {"prompt": LEFT_PADDED, "mask": MASK, **ALL},
    "greedy_eos": {**ENDS, "max_new_tokens": 14, **ALL},
    "greedy_no_cache": {"use_cache": False, **ALL},
    "greedy_past": {"past": 3, **ALL},
    "greedy_embeds": {"embeds": [2, 4], **ALL},
    "greedy_processors": {
        "repetition_penalty": 1.3,
        "no_repeat_ngram_size": 2,
        "bad_words_ids": [[20], [7, 8]],
        "sequence_bias": {(10,): 1.0, (12, 13): -2.0},
        "suppress_tokens": [30],
        "min_new_tokens": 3,
        "forced_eos_token_id": 2,
        **ALL,
    },
    "greedy_start_from_nothing": {"prompt": None, "bos_token_id": 1, **ALL},
    "greedy_max_length_reached": {"max_new_tokens": None, "max_length": 3},
    "guidance": {"guidance_scale": 1.5, **ALL},
    "guidance_negative": {"guidance_scale": 2.0, "negative": [[9, 9, 4], [3, 21, 22]], **ALL},
    "prefix": {"prefix": True, **ALL},
    "prefix_beams": {"prefix": True, "num_beams": 3, **ALL},
    "sample": {"do_sample": True, "top_k": 10, "temperature": 0.9, **EVERYTHING},
    "sample_top_p": {"do_sample": True, "top_p": 0.8, "top_k": 0, "num_return_sequences": 3, **ALL},
    "sample_warpers": {
        "do_sample": True,
        "typical_p": 0.9,
        "epsilon_cutoff": 0.01,
        "eta_cutoff": 0.01,
        "renormalize_logits": True,
    },
    "sample_padded": {"do_sample": True, "prompt": LEFT_PADDED, "mask": MASK, "num_return_sequences": 2},
    "sample_eos": {
        "do_sample": True,
        "temperature": 2.0,
        "eos_token_id": [4, 5, 6, 7, 8, 9],
        "pad_token_id": 0,
        "max_new_tokens": 20,
    },
    "beams": {"num_beams": 4, "num_return_sequences": 2, **EVERYTHING},
    "beams_padded": {"num_beams": 3, "prompt": LEFT_PADDED, "mask": MASK, **ALL},
    "beams_eos": {
        "num_beams": 3,
        "eos_token_id": [24, 25, 26, 27],
        "pad_token_id": 0,
        "max_new_tokens": 12,
        "length_penalty": 0.5,
        **ALL,
    },
    "beams_early": {"num_beams": 3, "eos_token_id": [24, 25], "pad_token_id": 0, "early_stopping": True, **ALL},
    "beams_never": {
        "num_beams": 3,
        "eos_token_id": 24,
        "pad_token_id": 0,
        "early_stopping": "never",
        "length_penalty": -1.0,
        **ALL,
    },
    "beams_no_cache": {"num_beams": 3, "use_cache": False, **ALL},
    "beams_processors": {
        "num_beams": 3,
        "no_repeat_ngram_size": 2,
        "repetition_penalty": 1.2,
        "renormalize_logits": True,
        **ALL,
    },
    "beam_sample": {"num_beams": 3, "do_sample": True, "num_return_sequences": 2, **EVERYTHING},
    "beam_sample_warpers": {
        "num_beams": 3,
        "do_sample": True,
        "top_k": 7,
        "top_p": 0.9,
        "temperature": 1.5,
        "eos_token_id": [24, 25, 26],
        "pad_token_id": 0,
        **ALL,
    },
    "groups": {**DIVERSE, "num_return_sequences": 3, **EVERYTHING},
    "groups_eos": {
        **DIVERSE,
        "num_beams": 6,
        "num_beam_groups": 3,
        "eos_token_id": [24, 25, 26, 27],
        "pad_token_id": 0,
        "max_new_tokens": 10,
        **ALL,
    },
    "constrained": {"num_beams": 4, "force_words_ids": [[17, 18], [31]], **EVERYTHING},
    "constrained_choice": {
        "num_beams": 4,
        "force_words_ids": [[[17, 18], [19]], [31]],
        "num_return_sequences": 2,
        **ALL,
    },
    "contrastive": {**CONTRASTIVE, **EVERYTHING},
    "contrastive_padded": {**CONTRASTIVE, "prompt": LEFT_PADDED, "mask": MASK, **ALL},
    "contrastive_eos": {**CONTRASTIVE, **ENDS, "repetition_penalty": 1.2, **ALL},
    "assisted": {"prompt": PROMPT[:1], "assistant": "small", **EVERYTHING},
    "assisted_self": {"prompt": PROMPT[:1], "assistant": "self", "max_new_tokens": 15, **ALL},
    "assisted_sample": {"prompt": PROMPT[:1], "assistant": "small", "do_sample": True, "temperature": 0.7, **ALL},
    "assisted_sample_self": {
        "prompt": PROMPT[:1],
        "assistant": "self",
        "do_sample": True,
        "temperature": 0.2,
        "max_new_tokens": 15,
        **ALL,
    },
    "assisted_eos": {"prompt": PROMPT[:1], "assistant": "self", **ENDS, "max_new_tokens": 20},
}

ENCODER_DECODER_CASES: dict[str, dict[str, Any]] = {
    "greedy": {**EVERYTHING},
    "greedy_padded": {"prompt": [[5, 6, 7, 0], [9, 9, 4, 22]], **ALL},
    "greedy_decoder_ids": {"decoder_input_ids": [[7, 8], [9, 10]], **ALL},
    "greedy_decoder_ids_with_start": {"decoder_input_ids": [[3, 8], [3, 10]], **ALL},
    "greedy_embeds": {"embeds": [2, 4], **ALL},
    "encoder_processors": {
        "encoder_repetition_penalty": 1.5,
        "encoder_no_repeat_ngram_size": 2,
        "forced_bos_token_id": 9,
        **ALL,
    },
    "sample": {"do_sample": True, "num_return_sequences": 2, **EVERYTHING},
    "beams": {"num_beams": 3, "num_return_sequences": 2, **EVERYTHING},
    "beam_sample": {"num_beams": 3, "do_sample": True, **ALL},
    "groups": {**DIVERSE, **EVERYTHING},
    "constrained": {"num_beams": 4, "force_words_ids": [[17, 18]], **ALL},
    "contrastive": {**CONTRASTIVE, **EVERYTHING},
    "assisted": {"prompt": PROMPT[:1], "assistant": "small", **EVERYTHING},
}

CASES = {
    **{f"gpt2/{name}": case for name, case in DECODER_CASES.items()},
    **{
        f"llama/{name}": DECODER_CASES[name]
        for name in ("greedy_padded", "beams", "sample_padded", "contrastive", "greedy_embeds")
    },
    **{f"toy/{name}": case for name, case in ENCODER_DECODER_CASES.items()},
}


def make_model(library: Any, name: str, layers: int = 2) -> Any:
    """A small model on `library`, its weights derived from names."""
    if name == "gpt2":
        config = library.GPT2Config(
            vocab_size=40, n_embd=32, n_layer=layers, n_head=4, n_positions=64, bos_token_id=1, eos_token_id=None
        )
        model = library.GPT2LMHeadModel(config)
    elif name == "llama":
        config = library.LlamaConfig(
            vocab_size=40,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=64,
            bos_token_id=1,
            eos_token_id=None,
        )
        model = library.LlamaForCausalLM(config)
    else:
        config_class, model_class = toy.build(library)
        model = model_class(config_class(num_hidden_layers=layers))
    model.config._attn_implementation = "eager"
    return fill_weights(model).eval()


def run(library: Any, key: str, **override: Any) -> Any:
    """What `generate` of `library` returns for the case `key`; `override` changes its arguments."""
    name = key.split("/")[0]
    arguments = {"max_new_tokens": 7, "pad_token_id": 0, "eos_token_id": None, **CASES[key], **override}
    model = make_model(library, name)
    prompt = arguments.pop("prompt", PROMPT)
    inputs: dict[str, Any] = {} if prompt is None else {"inputs": torch.tensor(prompt)}
    if (mask := arguments.pop("mask", None)) is not None:
        inputs["attention_mask"] = torch.tensor(mask)
    if (shape := arguments.pop("embeds", None)) is not None:
        inputs = {"inputs_embeds": torch.linspace(-1, 1, shape[0] * shape[1] * 32).sin().view(*shape, 32)}
    if (ids := arguments.pop("negative", None)) is not None:
        inputs["negative_prompt_ids"] = torch.tensor(ids)
    if (ids := arguments.pop("decoder_input_ids", None)) is not None:
        inputs["decoder_input_ids"] = torch.tensor(ids)
    if (known := arguments.pop("past", 0)) > 0:
        with torch.no_grad():
            inputs["past_key_values"] = model(inputs["inputs"][:, :known], use_cache=True).past_key_values
    if arguments.pop("prefix", False):
        inputs["prefix_allowed_tokens_fn"] = lambda row, ids: list(range(10 + ids.shape[-1] % 2, 40, 2))
    assistant = arguments.pop("assistant", None)
    if assistant is not None:
        inputs["assistant_model"] = (
            make_model(library, name, layers=1) if assistant == "small" else make_model(library, name)
        )
    torch.manual_seed(0)
    return model.generate(**inputs, **arguments)


def summary(output: Any) -> dict[str, Any]:
    """What is compared: ids exactly; of each other tensor its shape and two sums over its finite values."""
    if isinstance(output, torch.Tensor):
        return {"sequences": output.tolist()}
    found: dict[str, Any] = {}
    for name, value in output.items():
        if name in ("sequences", "beam_indices"):
            found[name] = value.tolist()
        elif name == "sequences_scores":
            found[name] = [round(x, 6) for x in value.tolist()]
        elif name == "past_key_values":
            found[name] = [list(x.shape) for x in value[0][:2]]
        else:
            found[name] = [_numbers(step) for step in value]
    return found


def _numbers(value: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return [_numbers(x) for x in value]
    finite = torch.where(value.isfinite() & (value.abs() < 1e8), value, 0.0).double()
    weights = torch.linspace(0.5, 1.5, finite.numel(), dtype=torch.float64).view(finite.shape)
    return [list(value.shape), round(float(finite.abs().sum()), 5), round(float((finite * weights).sum()), 5)]
