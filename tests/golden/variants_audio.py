"""Make golden cases of models of sound: settings that the plain cases leave at their defaults.

python tests/golden/variants_audio.py [NAME …]    # in an environment with torch==2.13.0 transformers==4.36.2
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from make_golden import read, write

FOLDER = Path(__file__).parent
STABLE = {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}
SHORTENED = {"add_adapter": True, "num_adapter_layers": 2, "output_hidden_size": 12}
FUSION = {"enable_fusion": True, "fusion_type": None, "aff_block_r": 2}


def no_mask(inputs: dict) -> dict:
    return {"attention_mask": None}


def half_as_long(inputs: dict) -> dict:
    mask = torch.ones_like(inputs["input_values"], dtype=torch.long)
    mask[0, mask.shape[1] * 2 // 3 :] = 0
    return {"attention_mask": mask}


def views(inputs: dict) -> dict:
    generator = torch.Generator().manual_seed(0)
    plain = inputs["input_features"]
    shape = (plain.shape[0], 4, *plain.shape[2:])
    longer = torch.arange(plain.shape[0])[:, None] < 2  # two, so that batch norms can train
    return {"input_features": torch.randn(shape, generator=generator), "is_longer": longer}


# (plain case, variant, changed settings, makers of inputs)
VARIANTS = [
    ("wav2vec2/Wav2Vec2Model", "stable", STABLE, (half_as_long,)),
    ("wav2vec2/Wav2Vec2Model", "shortened", {**SHORTENED, "num_conv_pos_embeddings": 5}, (no_mask,)),
    ("wav2vec2/Wav2Vec2ForCTC", "languages", {**STABLE, "adapter_attn_dim": 6}, (half_as_long,)),
    ("wav2vec2/Wav2Vec2ForCTC", "mean", {**SHORTENED, "ctc_loss_reduction": "mean", "ctc_zero_infinity": True}, ()),
    ("wav2vec2/Wav2Vec2ForPreTraining", "stable", {**STABLE, "diversity_loss_weight": 0.5}, (half_as_long,)),
    ("wav2vec2/Wav2Vec2ForSequenceClassification", "weighted", {"use_weighted_layer_sum": True}, (half_as_long,)),
    ("wav2vec2/Wav2Vec2ForAudioFrameClassification", "weighted", {"use_weighted_layer_sum": True, **STABLE}, ()),
    ("wav2vec2/Wav2Vec2ForXVector", "unmasked", {"use_weighted_layer_sum": True, "hidden_act": "relu"}, (no_mask,)),
    ("clap/ClapAudioModel", "fusion", FUSION, (views,)),
    ("clap/ClapAudioModelWithProjection", "overlap", {"patch_size": 4, "enable_patch_layer_norm": False,
                                                      "qkv_bias": False, "projection_hidden_act": "gelu"}, ()),
    ("clap/ClapModel", "fusion", {"audio_config": {**FUSION, "hidden_act": "relu"}}, (views,)),
]  # fmt: skip


def main() -> None:
    torch.set_num_threads(1)
    for plain, variant, changes, makers in VARIANTS:
        path = FOLDER / f"{plain}@{variant}.safetensors"
        if sys.argv[1:] and path.stem not in sys.argv[1:]:
            continue
        spec, inputs, _, _ = read(FOLDER / f"{plain}.safetensors")
        for key, value in changes.items():
            nested = isinstance(value, dict) and isinstance(spec["config"].get(key), dict)
            spec["config"][key] = {**spec["config"][key], **value} if nested else value
        for make in makers:
            inputs.update(make(inputs))
        inputs = {key: value for key, value in inputs.items() if value is not None}
        spec["loss"] = bool(spec["labels"] or spec["loss_kwargs"])
        write(json.loads(json.dumps(spec)), inputs, str(path))
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
