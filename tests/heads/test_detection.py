"""Matching, boxes and losses of object detection against the reference's numbers."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from isoform import YolosConfig, YolosForObjectDetection
from isoform.heads.detection import (
    DetectionLoss,
    HungarianMatcher,
    box_area,
    box_iou,
    detection_loss,
    generalized_box_iou,
    to_corners,
)

CASE = json.loads((Path(__file__).parent.parent / "golden" / "detection.json").read_text())
EXPECTED = CASE["expected"]


def tensors(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: tensors(item) for key, item in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [tensors(item) for item in value]
    return torch.tensor(value)


OUTPUTS, TARGETS = tensors(CASE["outputs"]), tensors(CASE["targets"])
MATCHER = HungarianMatcher(class_cost=1, bbox_cost=5, giou_cost=2)


def assert_same(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value, rel=1e-5, abs=1e-6), name


def test_boxes():
    one, two = to_corners(TARGETS[0]["boxes"]), to_corners(OUTPUTS["pred_boxes"][0])
    found = (*box_iou(one, two), generalized_box_iou(one, two), box_area(one))
    for got, name in zip(found, ("iou", "union", "giou", "area")):
        torch.testing.assert_close(got, torch.tensor(EXPECTED[name]))
    with pytest.raises(ValueError, match="boxes2 must be in"):
        generalized_box_iou(one, two.flip(-1))


def test_matches():
    found = MATCHER(OUTPUTS, TARGETS)
    assert [[x.tolist() for x in pair] for pair in found] == EXPECTED["matches"]
    with pytest.raises(ValueError, match="All costs"):
        HungarianMatcher(0, 0, 0)


def test_losses():
    names = ("labels", "boxes", "cardinality")
    whole = {key: value for key, value in OUTPUTS.items() if key != "auxiliary_outputs"}
    assert_same(DetectionLoss(MATCHER, 3, 0.1, (*names, "masks"))(whole, TARGETS), EXPECTED["losses"])
    assert_same(DetectionLoss(MATCHER, 3, 0.1, names)(OUTPUTS, TARGETS), EXPECTED["auxiliary"])
    with pytest.raises(ValueError, match="nothing"):
        DetectionLoss(MATCHER, 3, 0.1, ("nothing",))(whole, TARGETS)


def test_weighted_sum_counts_the_layers():
    config = YolosConfig(num_labels=3, bbox_loss_coefficient=7, giou_loss_coefficient=3)
    loss, losses = detection_loss(OUTPUTS, TARGETS, config)
    weights = {"loss_ce": 1, "loss_bbox": 7, "loss_giou": 3}
    ends = ("", "_0", "_1")
    expected = sum(w * EXPECTED["auxiliary"][name + end] for name, w in weights.items() for end in ends)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert losses.keys() == EXPECTED["auxiliary"].keys()
    with pytest.raises(ValueError, match="one dictionary for each image: expected 2, found 1"):
        detection_loss(OUTPUTS, TARGETS[:1], config)


def test_auxiliary_loss_of_yolos():
    sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 3}
    config = YolosConfig(
        **sizes, image_size=[16, 16], patch_size=8, num_detection_tokens=4, num_labels=3, auxiliary_loss=True
    )
    model = YolosForObjectDetection(config).eval()
    labels = [{key: target[key] for key in ("class_labels", "boxes")} for target in TARGETS]
    output = model(torch.randn(2, 3, 16, 16), labels=labels)
    assert len(output.auxiliary_outputs) == 2 and output.hidden_states is None
    assert output.loss_dict.keys() == EXPECTED["auxiliary"].keys()
    output.loss.backward()
    assert model.vit.encoder.layer[0].output.dense.weight.grad.abs().sum() > 0


def test_missing_scipy_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("scipy"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install scipy"):
        MATCHER(OUTPUTS, TARGETS)
