"""Make golden cases of encoder-decoder models: settings that the plain cases leave at their defaults.

python tests/golden/variants_seq2seq.py [NAME …]    # in an environment with torch==2.13.0 transformers==4.36.2
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from make_golden import read, write
from make_variants import encoder_states, float_labels

FOLDER = Path(__file__).parent
V11 = {
    "feed_forward_proj": "gated-gelu",
    "dense_act_fn": "gelu_new",
    "is_gated_act": True,
    "tie_word_embeddings": False,
}
OTHER_HEADS = {"decoder_attention_heads": 2, "decoder_layers": 3, "decoder_ffn_dim": 11}


def masks(encoder: tuple[int, int], decoder: tuple[int, int]):
    """Masks of heads: `(layers, heads)` of the encoder and of the decoder."""

    def make(inputs: dict) -> dict:
        def ramp(shape: tuple[int, int], start: float) -> torch.Tensor:
            return torch.linspace(start, 1, shape[0] * shape[1]).view(shape)

        return {
            "head_mask": ramp(encoder, 0.0),
            "decoder_head_mask": ramp(decoder, 0.3),
            "cross_attn_head_mask": ramp(decoder, 0.6),
        }

    return make


def padded(inputs: dict) -> dict:
    """Padding on the right of one source, on the left of another, and on the right of a target."""
    mask = torch.ones_like(inputs["input_ids"])
    mask[0, -3:] = 0
    mask[-1, :2] = 0
    changes = {"attention_mask": mask}
    if "decoder_input_ids" in inputs:
        target = torch.ones_like(inputs["decoder_input_ids"])
        target[0, -2:] = 0
        changes["decoder_attention_mask"] = target
    return changes


def long_source(inputs: dict) -> dict:
    """Distances beyond the buckets that are exact."""
    ids = torch.randint(3, 90, (inputs["input_ids"].shape[0], 40), generator=torch.Generator().manual_seed(0))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


# (plain case, variant, changed settings, makers of further inputs)
VARIANTS = [
    ("t5/T5ForConditionalGeneration", "v11", {**V11, "d_kv": 5, "num_decoder_layers": 3}, (padded,)),
    ("t5/T5ForConditionalGeneration", "far", {"relative_attention_max_distance": 20}, (long_source,)),
    ("t5/T5Model", "masked", {"num_layers": 1, "feed_forward_proj": "gated-silu", "dense_act_fn": "silu",
                              "is_gated_act": True}, (masks((1, 4), (2, 4)),)),
    ("t5/T5EncoderModel", "far", {"relative_attention_num_buckets": 32}, (long_source,)),
    ("t5/T5ForSequenceClassification", "regression", {"num_labels": 1}, (float_labels(1),)),
    ("bart/BartForConditionalGeneration", "scaled", {"scale_embedding": True, **OTHER_HEADS}, (padded,)),
    ("bart/BartModel", "masked", OTHER_HEADS, (masks((2, 4), (3, 2)),)),
    ("bart/BartForSequenceClassification", "multilabel", {"num_labels": 4}, (float_labels(4),)),
    ("bart/BartForCausalLM", "cross", {}, (encoder_states,)),
    ("m2m_100/M2M100ForConditionalGeneration", "unscaled",
     {"scale_embedding": False, "activation_function": "gelu", "tie_word_embeddings": False, **OTHER_HEADS}, (padded,)),
    ("m2m_100/M2M100Model", "odd", {"d_model": 12, "decoder_layers": 3}, (masks((2, 4), (3, 4)),)),
    ("blenderbot_small/BlenderbotSmallForConditionalGeneration", "scaled", {"scale_embedding": True, **OTHER_HEADS},
     (padded,)),
]  # fmt: skip


def make_mt5() -> None:
    """mT5's plain cases: T5's, with the settings of version 1.1."""
    for plain in sorted((FOLDER / "t5").glob("*.safetensors")):
        if "@" in plain.stem:
            continue
        spec, inputs, _, _ = read(plain)
        spec["class"], spec["config_class"] = f"M{spec['class']}", "MT5Config"
        spec["config"].update({**V11, "model_type": "mt5", "decoder_start_token_id": 0})
        path = FOLDER / "mt5" / f"M{plain.name}"
        path.parent.mkdir(exist_ok=True)
        write(json.loads(json.dumps(spec)), inputs, str(path))
        print(path.name, path.stat().st_size)


def main() -> None:
    torch.set_num_threads(1)
    if not sys.argv[1:] or "mt5" in sys.argv[1:]:
        make_mt5()
    for plain, variant, changes, makers in VARIANTS:
        name = f"{plain}@{variant}"
        if sys.argv[1:] and not any(wanted in name for wanted in sys.argv[1:]):
            continue
        spec, inputs, _, _ = read(FOLDER / f"{plain}.safetensors")
        spec["config"].update(changes)
        if "num_labels" in changes:
            count = spec["config"].pop("num_labels")
            spec["config"]["id2label"] = {i: f"LABEL_{i}" for i in range(count)}
            spec["config"]["label2id"] = {f"LABEL_{i}": i for i in range(count)}
        for make in makers:
            made = make(inputs)
            if make is encoder_states:
                made["encoder_hidden_states"] = made["encoder_hidden_states"][..., : spec["config"]["d_model"]]
            inputs.update(made)
        spec["loss"] = bool(spec["labels"])
        path = FOLDER / f"{name}.safetensors"
        write(json.loads(json.dumps(spec)), inputs, str(path))
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
