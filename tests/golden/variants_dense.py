"""Make golden cases of the convolutional and dense vision models and of CLIP: settings that the plain cases leave out.

    python tests/golden/variants_dense.py [folder…]   # in an environment with torch==2.13.0 transformers==4.36.2

It needs Pillow and scipy as well (for YOLOS). The cases of ResNet, which have no plain ones, are made here, too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from make_golden import write

FOLDER = Path(__file__).parent
GENERATOR = torch.Generator()


def labels(count: int) -> dict:
    names = [f"LABEL_{i}" for i in range(count)]
    return {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}


def image(height: int, width: int, channels: int = 3, batch: int = 2) -> dict:
    return {"pixel_values": torch.randn(batch, channels, height, width, generator=GENERATOR)}


def classes(count: int, *shape: int) -> dict:
    return {"labels": torch.randint(0, count, shape, generator=GENERATOR)}


def text() -> dict:
    ids = torch.randint(3, 18, (2, 7), generator=GENERATOR)
    ids[0, 5] = ids[1, 2] = 19  # the end of the texts, and the highest id
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    return {"input_ids": ids, "attention_mask": mask, "position_ids": torch.arange(7).flip(0)[None].repeat(2, 1)}


def objects(counts: tuple[int, ...]) -> dict:
    found = {}
    for i, count in enumerate(counts):
        boxes = torch.rand(count, 4, generator=GENERATOR) * 0.3 + torch.tensor([0.3, 0.3, 0.05, 0.05])
        found[f"labels.{i}.class_labels"] = torch.randint(0, 3, (count,), generator=GENERATOR)
        found[f"labels.{i}.boxes"] = boxes
    return found


VIT = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 20}
TEXT = {**VIT, "num_hidden_layers": 2, "vocab_size": 20, "max_position_embeddings": 16, "projection_dim": 6}
VISION = {**VIT, "num_hidden_layers": 2, "image_size": 13, "patch_size": 4, "projection_dim": 6}
CONV = {"num_stages": 3, "hidden_sizes": [6, 10, 8], "depths": [1, 2, 1], "patch_size": 2}
BIT = {"embedding_size": 8, "hidden_sizes": [8, 16, 24], "depths": [2, 1, 2], "num_groups": 2}
RESNET = {"embedding_size": 6, "hidden_sizes": [8, 12, 16], "depths": [2, 1, 1]}
YOLOS = {**VIT, "num_hidden_layers": 3, "image_size": [24, 32], "patch_size": 8, "num_detection_tokens": 5, **labels(3)}
DPT = {
    **VIT,
    "image_size": 32,
    "patch_size": 8,
    "backbone_out_indices": [0, 1, 2, 3],
    "neck_hidden_sizes": [4, 6, 8, 8],
    "fusion_hidden_size": 8,
    **labels(3),
}
HYBRID = {
    "is_hybrid": True,
    "patch_size": 16,
    "neck_hidden_sizes": [8, 16, 8, 8],
    "reassemble_factors": [1, 1, 1, 0.5],
    "neck_ignore_stages": [0, 1],
    "backbone_featmap_shape": [1, 24, 2, 2],
    "backbone_config": {
        **BIT,
        "model_type": "bit",
        "layer_type": "bottleneck",
        "global_padding": "same",
        "embedding_dynamic_padding": True,
        "out_features": ["stage1", "stage2", "stage3"],
    },
}
DINO = {
    "model_type": "dinov2",
    "hidden_size": 16,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
    "reshape_hidden_states": False,
}
WITHOUT_VIT = ("num_hidden_layers", "image_size", "patch_size", "backbone_out_indices")
OVER_DINO = {**{k: v for k, v in DPT.items() if k not in WITHOUT_VIT}, "backbone_config": DINO}
STAGES = ["stage1", "stage2", "stage3", "stage4"]
SWIN = {
    "model_type": "swin",
    "embed_dim": 8,
    "depths": [1, 1],
    "num_heads": [1, 2],
    "image_size": 32,
    "patch_size": 2,
    "window_size": 2,
    "out_features": STAGES[:2],
}
UPERNET = {"hidden_size": 6, "auxiliary_channels": 4, **labels(3)}

# (folder, class, variant, configuration, inputs); the loss is that of inputs called "labels"
CASES = [
    ("clip", "CLIPTextModel", "legacy", {**TEXT, "eos_token_id": 2, "hidden_act": "gelu"}, text),
    ("clip", "CLIPTextModelWithProjection", "end", {**TEXT, "eos_token_id": 19, "layer_norm_eps": 1e-3}, text),
    ("clip", "CLIPVisionModel", "grey", {**VISION, "num_channels": 1}, lambda: image(13, 13, 1)),
    ("clip", "CLIPModel", "end", {"text_config": {**TEXT, "eos_token_id": 19}, "vision_config": VISION,
                                  "projection_dim": 5}, lambda: {**text(), **image(13, 13)}),
    ("convnext", "ConvNextModel", "unscaled", {**CONV, "layer_scale_init_value": 0, "hidden_act": "relu"},
     lambda: image(27, 30)),
    ("convnext", "ConvNextBackbone", "stem", {**CONV, "out_features": ["stem", "stage2"], "patch_size": 4},
     lambda: image(32, 24)),
    ("convnext", "ConvNextForImageClassification", "multilabel", {**CONV, **labels(4), "num_channels": 1},
     lambda: {**image(32, 32, 1), "labels": torch.eye(4)[:2]}),
    ("convnextv2", "ConvNextV2Backbone", "indices", {**CONV, "out_indices": [-3, 3]}, lambda: image(33, 24)),
    ("convnextv2", "ConvNextV2ForImageClassification", "regression", {**CONV, **labels(1), "hidden_act": "gelu_new"},
     lambda: {**image(32, 32), "labels": torch.tensor([0.5, -1.0])}),
    ("bit", "BitModel", "bottleneck", {**BIT, "layer_type": "bottleneck", "output_stride": 8, "hidden_act": "gelu"},
     lambda: image(45, 52)),
    ("bit", "BitModel", "same", {**BIT, "global_padding": "SAME", "embedding_dynamic_padding": True},
     lambda: image(45, 52)),
    ("bit", "BitBackbone", "dilated", {**BIT, "layer_type": "bottleneck", "global_padding": "same", "output_stride": 2,
                                       "out_indices": [0, 2]}, lambda: image(40, 35)),
    ("bit", "BitForImageClassification", "grey", {**BIT, **labels(3), "output_stride": 8, "num_channels": 1},
     lambda: {**image(45, 52, 1), **classes(3, 2)}),
    ("resnet", "ResNetModel", "", RESNET, lambda: image(40, 35)),
    ("resnet", "ResNetBackbone", "", {**RESNET, "out_features": ["stem", "stage1", "stage3"]}, lambda: image(40, 35)),
    ("resnet", "ResNetForImageClassification", "", {**RESNET, **labels(3)},
     lambda: {**image(36, 33), **classes(3, 2)}),
    ("resnet", "ResNetModel", "basic", {**RESNET, "layer_type": "basic", "hidden_act": "gelu",
                                        "downsample_in_first_stage": True}, lambda: image(40, 35)),
    ("resnet", "ResNetModel", "bottleneck", {**RESNET, "hidden_act": "gelu", "downsample_in_bottleneck": True},
     lambda: image(40, 35)),
    ("yolos", "YolosForObjectDetection", "larger", {**YOLOS, "qkv_bias": False, "eos_coefficient": 0.5},
     lambda: {**image(43, 40), **objects((3, 1))}),
    ("yolos", "YolosForObjectDetection", "first", {**YOLOS, "use_mid_position_embeddings": False, "giou_cost": 0.5},
     lambda: {**image(24, 32), **objects((2, 0))}),
    ("yolos", "YolosModel", "smaller", YOLOS, lambda: image(16, 24)),
    ("dpt", "DPTModel", "wide", DPT, lambda: image(24, 49)),
    ("dpt", "DPTForDepthEstimation", "hybrid", {**DPT, **HYBRID}, lambda: image(32, 32)),
    ("dpt", "DPTForDepthEstimation", "dinov2", OVER_DINO, lambda: image(24, 41)),
    ("dpt", "DPTForDepthEstimation", "add", {**DPT, "readout_type": "add", "use_bias_in_fusion_residual": False,
                                             "backbone_out_indices": [1, 2, 3], "neck_hidden_sizes": [4, 6, 8],
                                             "head_in_index": 1}, lambda: image(32, 32)),
    ("dpt", "DPTForSemanticSegmentation", "norms", {**DPT, "readout_type": "ignore", "auxiliary_loss_weight": 1.0,
                                                    "use_batch_norm_in_fusion_residual": True, "qkv_bias": False,
                                                    "semantic_loss_ignore_index": 0},
     lambda: {**image(32, 32), **classes(3, 2, 32, 32)}),
    ("upernet", "UperNetForSemanticSegmentation", "swin",
     {**UPERNET, "backbone_config": SWIN, "use_auxiliary_head": False, "pool_scales": [3]},
     lambda: {**image(24, 20), **classes(3, 2, 24, 20)}),
    ("upernet", "UperNetForSemanticSegmentation", "resnet",
     {**UPERNET, "backbone_config": {**RESNET, "model_type": "resnet", "out_features": STAGES[:3]},
      "auxiliary_in_channels": 16, "auxiliary_concat_input": True, "pool_scales": [1, 2], "loss_ignore_index": 1},
     lambda: {**image(24, 20), **classes(3, 2, 24, 20)}),
    ("upernet", "UperNetForSemanticSegmentation", "bit",
     {**UPERNET, "backbone_config": {**BIT, "model_type": "bit", "out_features": STAGES[:3]},
      "auxiliary_in_channels": 24, "auxiliary_num_convs": 2}, lambda: {**image(40, 36), **classes(3, 2, 40, 36)}),
]  # fmt: skip


def main(folders: list[str]) -> None:
    torch.set_num_threads(1)
    for folder, name, variant, config, inputs in CASES:
        if folders and folder not in folders:
            continue
        GENERATOR.manual_seed(0)
        prefix = name.split("Model")[0].split("For")[0].split("Backbone")[0]
        kind = {"CLIPText": "clip_text_model", "CLIPVision": "clip_vision_model"}.get(prefix, folder)
        values = inputs()
        learns = any(key.startswith("labels") for key in values)
        spec = {
            "class": name,
            "config_class": f"{prefix}Config",
            "config": {"model_type": kind, **config},
            "labels": ["labels"] if learns else [],
            "loss": learns or name == "CLIPModel",
            "loss_kwargs": {"return_loss": True} if name == "CLIPModel" else {},
        }
        path = FOLDER / folder / f"{name}{'@' if variant else ''}{variant}.safetensors"
        write(json.loads(json.dumps(spec)), values, str(path))
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1:])
