"""Classify, find objects, estimate depth and label the pixels of a photograph, each answer saved as a picture.

    python examples/see.py PHOTO [--out FOLDER] [--classify MODEL] [--detect MODEL] [--depth MODEL] [--segment MODEL]

MODEL is a folder or a Hub id: `google/vit-base-patch16-224`, `hustvl/yolos-tiny`, `Intel/dpt-large`,
`openmmlab/upernet-convnext-tiny`. For what is not named, a tiny model with random weights is built on the spot: its
answers mean nothing, but every step from the photograph to the picture runs, without network.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from PIL import Image

import isoform
from isoform import pipeline
from isoform.pipelines.pictures import draw_boxes, draw_masks

SMALL = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 64}
STAGES = {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 16, 24, 32]}


def tiny_classifier() -> tuple[Any, Any]:
    config = isoform.ViTConfig(**SMALL, image_size=64, num_labels=3)
    return isoform.ViTForImageClassification(config), isoform.ViTImageProcessor(size={"height": 64, "width": 64})


def tiny_detector() -> tuple[Any, Any]:
    config = isoform.YolosConfig(**SMALL, image_size=[96, 128], num_detection_tokens=6, num_labels=4)
    processor = isoform.YolosImageProcessor(size={"shortest_edge": 96, "longest_edge": 128})
    return isoform.YolosForObjectDetection(config), processor


def tiny_depth() -> tuple[Any, Any]:
    config = isoform.DPTConfig(
        **SMALL,
        image_size=64,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=16,
    )
    return isoform.DPTForDepthEstimation(config), isoform.DPTImageProcessor(size={"height": 64, "width": 64})


def tiny_segmenter() -> tuple[Any, Any]:
    backbone = isoform.ConvNextConfig(**STAGES, out_features=["stage1", "stage2", "stage3", "stage4"])
    config = isoform.UperNetConfig(
        backbone_config=backbone, hidden_size=16, auxiliary_in_channels=24, auxiliary_channels=8, num_labels=5
    )
    processor = isoform.SegformerImageProcessor(size={"height": 64, "width": 64})
    return isoform.UperNetForSemanticSegmentation(config), processor


TASKS = {
    "classify": ("image-classification", tiny_classifier, {"top_k": 3}),
    "detect": ("object-detection", tiny_detector, {"threshold": 0.0}),
    "depth": ("depth-estimation", tiny_depth, {}),
    "segment": ("image-segmentation", tiny_segmenter, {"subtask": "semantic"}),
}

PICTURES = {"detect": draw_boxes, "segment": draw_masks, "depth": lambda photo, answer: answer["depth"]}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Run all four; returns the answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--out", type=Path, default=Path())
    for name, (task, *_) in TASKS.items():
        parser.add_argument(f"--{name}", metavar="MODEL", help=f"model for {task}")
    options = parser.parse_args(arguments)
    photo, answers = Image.open(options.photo).convert("RGB"), {}
    options.out.mkdir(parents=True, exist_ok=True)
    for name, (task, tiny, settings) in TASKS.items():
        chosen = getattr(options, name)
        if chosen is None:
            torch.manual_seed(0)
            model, processor = tiny()
            answer = pipeline(task, model=model.eval(), image_processor=processor)(photo, **settings)
        else:
            answer = pipeline(task, model=chosen)(photo)
        answers[name] = answer
        if name in PICTURES:
            PICTURES[name](photo, answer).save(options.out / f"{name}.png")
        print(
            task,
            *(answer if isinstance(answer, list) else [f"depths {tuple(answer['predicted_depth'].shape)}"]),
            sep="\n  ",
        )
    return answers


if __name__ == "__main__":
    main()
