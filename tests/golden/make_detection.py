"""Write `detection.json`: what the reference's matching and losses of object detection give.

python tests/golden/make_detection.py   # torch==2.13.0 transformers==4.36.2, with scipy and Pillow
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers.models.yolos import modeling_yolos as reference


def main() -> None:
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> torch.Tensor:
        return (torch.rand(*shape, generator=generator) * 1000).round() / 1000

    def predictions(batch: int, queries: int) -> dict:
        boxes = random(batch, queries, 4) * 0.4 + 0.1
        return {"logits": random(batch, queries, 4) * 4 - 2, "pred_boxes": boxes}

    outputs = {**predictions(2, 5), "pred_masks": random(2, 5, 3, 4) * 4 - 2}
    outputs["auxiliary_outputs"] = [predictions(2, 5), predictions(2, 5)]
    targets = []
    for count, size in ((3, (6, 7)), (1, (8, 5))):
        boxes = random(count, 4) * 0.4 + 0.1
        classes = torch.randint(0, 3, (count,), generator=generator)
        targets.append({"class_labels": classes, "boxes": boxes, "masks": (random(count, *size) > 0.5).int()})
    matcher = reference.YolosHungarianMatcher(class_cost=1, bbox_cost=5, giou_cost=2)
    loss = reference.YolosLoss(matcher, 3, 0.1, ["labels", "boxes", "cardinality", "masks"])
    whole = dict(outputs)
    whole.pop("auxiliary_outputs")
    plain = reference.YolosLoss(matcher, 3, 0.1, ["labels", "boxes", "cardinality"])
    corners = reference.center_to_corners_format
    one, two = corners(targets[0]["boxes"]), corners(outputs["pred_boxes"][0])
    iou, union = reference.box_iou(one, two)
    expected = {
        "matches": [[x.tolist() for x in pair] for pair in matcher(outputs, targets)],
        "losses": {k: v.item() for k, v in loss(whole, targets).items()},
        "auxiliary": {k: v.item() for k, v in plain(outputs, targets).items()},
        "iou": iou.tolist(),
        "union": union.tolist(),
        "giou": reference.generalized_box_iou(one, two).tolist(),
        "area": reference.box_area(one).tolist(),
    }

    def plain_values(value: object) -> object:
        if isinstance(value, torch.Tensor):
            return value.tolist()
        if isinstance(value, dict):
            return {key: plain_values(item) for key, item in value.items()}
        return [plain_values(item) for item in value]

    path = Path(__file__).with_name("detection.json")
    content = {"outputs": plain_values(outputs), "targets": plain_values(targets), "expected": expected}
    path.write_text(json.dumps(content) + "\n")


if __name__ == "__main__":
    main()
