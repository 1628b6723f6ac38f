"""Make golden cases of ViT, DeiT, BEiT, DINOv2 and Swin: settings that the plain cases leave at their defaults.

python tests/golden/variants_vision.py [folder…]   # in an environment with torch==2.13.0 transformers==4.36.2
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from make_golden import write
from variants_dense import GENERATOR, VIT, classes, image, labels

FOLDER = Path(__file__).parent


def masked(*shape: int) -> dict:
    mask = torch.rand(shape, generator=GENERATOR) < 0.5
    mask[:, 0] = True
    return {"bool_masked_pos": mask}


def heads(layers: int, count: int) -> dict:
    return {"head_mask": torch.rand(layers, count, generator=GENERATOR)}


def scores(*shape: int) -> dict:
    return {"labels": torch.rand(shape, generator=GENERATOR)}


def visual_tokens(inputs: dict, count: int) -> dict:
    return {**inputs, **classes(count, int(inputs["bool_masked_pos"].sum()))}


SMALL = {**VIT, "num_hidden_layers": 2, "image_size": 24, "patch_size": 8, "encoder_stride": 8}
BEIT = {**VIT, "image_size": 24, "patch_size": 8, "vocab_size": 11, "use_mask_token": True}
PIXELS = {**BEIT, "out_indices": [1, 2, 3, 4], "pool_scales": [1, 2], "auxiliary_channels": 5, **labels(3)}
DINO = {**VIT, "num_hidden_layers": 2, "image_size": 24, "patch_size": 8, "mlp_ratio": 3}
SWIN = {"image_size": 32, "patch_size": 2, "embed_dim": 8, "depths": [2, 1, 2], "num_heads": [1, 2, 4],
        "window_size": 4, "encoder_stride": 8}  # fmt: skip

# (folder, class, variant, config, inputs, further keyword arguments)
CASES = [
    ("vit", "ViTModel", "larger", SMALL, lambda: {**image(33, 49), **heads(2, 2)}, {"interpolate_pos_encoding": True}),
    ("vit", "ViTModel", "oblong", SMALL, lambda: image(24, 30), {"interpolate_pos_encoding": True}),
    ("vit", "ViTForImageClassification", "rectangle",
     {**SMALL, "image_size": [16, 24], "patch_size": [8, 4], "qkv_bias": False, "num_channels": 1, **labels(3)},
     lambda: {**image(16, 24, 1), **scores(2, 3)}, {}),
    ("vit", "ViTForImageClassification", "regression", {**SMALL, "hidden_act": "relu", **labels(1)},
     lambda: {**image(24, 24), **scores(2), **heads(2, 2)}, {}),
    ("vit", "ViTForMaskedImageModeling", "unmasked", {**SMALL, "encoder_stride": 4}, lambda: image(24, 24), {}),
    ("deit", "DeiTModel", "rectangle", {**SMALL, "image_size": [16, 32], "qkv_bias": False},
     lambda: {**image(16, 32), **heads(2, 2)}, {}),
    ("deit", "DeiTForMaskedImageModeling", "gray", {**SMALL, "num_channels": 1, "hidden_act": "gelu_new"},
     lambda: {**image(24, 24, 1), **masked(2, 9)}, {}),
    ("beit", "BeitModel", "absolute",
     {**BEIT, "use_absolute_position_embeddings": True, "use_mean_pooling": False, "layer_scale_init_value": 0},
     lambda: {**image(24, 24), **masked(2, 9), **heads(4, 2)}, {}),
    ("beit", "BeitModel", "larger", {**BEIT, "use_absolute_position_embeddings": True}, lambda: image(33, 50), {}),
    ("beit", "BeitModel", "biases", {**BEIT, "use_relative_position_bias": True,
                                     "use_shared_relative_position_bias": True, "image_size": [16, 24]},
     lambda: {**image(16, 24), **masked(2, 6)}, {}),
    ("beit", "BeitForMaskedImageModeling", "shared",
     {**BEIT, "use_shared_relative_position_bias": True, "use_mean_pooling": False},
     lambda: visual_tokens({**image(24, 24), **masked(2, 9)}, 11), {}),
    ("beit", "BeitForSemanticSegmentation", "concat",
     {**PIXELS, "auxiliary_concat_input": True, "auxiliary_num_convs": 2, "auxiliary_loss_weight": 0.7,
      "semantic_loss_ignore_index": 1}, lambda: {**image(24, 24), **classes(3, 2, 24, 24)}, {}),
    ("beit", "BeitForSemanticSegmentation", "alone", {**PIXELS, "use_auxiliary_head": False},
     lambda: {**image(24, 24), **classes(3, 2, 17, 20)}, {}),
    ("beit", "BeitBackbone", "pyramid",
     {**BEIT, "num_hidden_layers": 5, "out_features": ["stage1", "stage2", "stage4", "stage5"], "add_fpn": True,
      "batch_norm_eps": 1e-3}, lambda: image(24, 40), {}),
    ("beit", "BeitBackbone", "sequences", {**BEIT, "reshape_hidden_states": False, "out_indices": [0, 3]},
     lambda: image(24, 24), {}),
    ("dinov2", "Dinov2Model", "gated", {**DINO, "use_swiglu_ffn": True, "layerscale_value": 0.3, "qkv_bias": False},
     lambda: {**image(33, 49), **masked(2, 24), **heads(2, 2)}, {}),
    ("dinov2", "Dinov2ForImageClassification", "larger", {**DINO, **labels(4)},
     lambda: {**image(40, 56), **classes(4, 2)}, {}),
    ("dinov2", "Dinov2Backbone", "raw", {**DINO, "apply_layernorm": False, "out_features": ["stem", "stage2"]},
     lambda: image(35, 24), {}),
    ("dinov2", "Dinov2Backbone", "sequences", {**DINO, "reshape_hidden_states": False, "out_indices": [1, 2]},
     lambda: image(24, 24), {}),
    ("swin", "SwinModel", "padded", {**SWIN, "qkv_bias": False, "mlp_ratio": 2.0}, lambda: image(29, 37), {}),
    ("swin", "SwinForImageClassification", "shifted", {**SWIN, "window_size": 3, "patch_size": 1, **labels(3)},
     lambda: {**image(32, 32), **classes(3, 2)}, {}),
    ("swin", "SwinForMaskedImageModeling", "gray", {**SWIN, "num_channels": 1, "hidden_act": "relu"},
     lambda: {**image(32, 32, 1), **masked(2, 256)}, {}),
    ("swin", "SwinBackbone", "padded", {**SWIN, "window_size": 7, "out_features": ["stem", "stage2", "stage3"]},
     lambda: image(29, 37), {}),
]  # fmt: skip


def main(folders: list[str]) -> None:
    torch.set_num_threads(1)
    for folder, name, variant, config, inputs, options in CASES:
        if folders and folder not in folders:
            continue
        GENERATOR.manual_seed(0)
        values = inputs()
        learns = "labels" in values
        spec = {
            "class": name,
            "config_class": name.split("Model")[0].split("For")[0].split("Backbone")[0] + "Config",
            "config": {"model_type": folder, **config},
            "call_kwargs": options,
            "labels": ["labels"] if learns else [],
            "loss": learns or (name.endswith("MaskedImageModeling") and "bool_masked_pos" in values),
        }
        path = FOLDER / folder / f"{name}@{variant}.safetensors"
        write(json.loads(json.dumps(spec)), values, str(path))
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1:])
