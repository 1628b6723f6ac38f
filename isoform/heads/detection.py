"""Detection of objects as prediction of a set (DETR, Carion et al. 2020): boxes, matching, losses.

Boxes are `(centre x, centre y, width, height)`, relative to the image, unless they are said to be corners `(left, top,
right, bottom)`. A target is a dictionary of `class_labels` `(objects,)` and `boxes` `(objects, 4)`, one for each image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Matches = list[tuple[Tensor, Tensor]]  # for each image: indices of predictions, and of the objects that they match


def to_corners(boxes: Tensor) -> Tensor:
    """Boxes `(..., 4)` by their corners."""
    centre, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat((centre - size / 2, centre + size / 2), -1)


def box_area(boxes: Tensor) -> Tensor:
    """Areas `(n,)` of boxes `(n, 4)` given by corners."""
    boxes = boxes if boxes.is_floating_point() and boxes.element_size() > 2 else boxes.float()
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def box_iou(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union, and union, of each two boxes: `(n, 4)` and `(m, 4)` corners to `(n, m)` each."""
    sizes = torch.min(boxes1[:, None, 2:], boxes2[:, 2:]) - torch.max(boxes1[:, None, :2], boxes2[:, :2])
    inter = sizes.clamp(min=0).prod(-1)
    union = box_area(boxes1)[:, None] + box_area(boxes2) - inter
    return inter / union, union


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Generalised IoU (Rezatofighi et al. 2019) of each two boxes, `(n, m)` from corners `(n, 4)` and `(m, 4)`.

    Raises:
        ValueError: a box has its corners the wrong way round.
    """
    for name, boxes in (("boxes1", boxes1), ("boxes2", boxes2)):
        if not (boxes[:, 2:] >= boxes[:, :2]).all():
            raise ValueError(f"{name} must be in [x0, y0, x1, y1] (corner) format, but got {boxes}")
    iou, union = box_iou(boxes1, boxes2)
    sizes = torch.max(boxes1[:, None, 2:], boxes2[:, 2:]) - torch.min(boxes1[:, None, :2], boxes2[:, :2])
    hull = sizes.clamp(min=0).prod(-1)
    return iou - (hull - union) / hull


def sigmoid_focal_loss(
    inputs: Tensor, targets: Tensor, num_boxes: float, alpha: float = 0.25, gamma: float = 2
) -> Tensor:
    """Binary cross-entropy that counts what is already right for little (Lin et al. 2017).

    Args:
        inputs: logits `(objects, elements)`.
        targets: the same of 0 and 1.
        num_boxes: divides the sum over objects of the mean over elements.
        alpha: weight of positive elements; negative for none.
        gamma: exponent of how wrong an element is.
    """
    wrong = torch.where(targets > 0, 1 - inputs.sigmoid(), inputs.sigmoid())
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none") * wrong**gamma
    if alpha >= 0:
        loss = loss * (alpha * targets + (1 - alpha) * (1 - targets))
    return loss.mean(1).sum() / num_boxes


def dice_loss(inputs: Tensor, targets: Tensor, num_boxes: float) -> Tensor:
    """One minus the overlap of masks (Milletari et al. 2016): logits and 0 or 1, `(objects, elements)`."""
    inputs, targets = inputs.sigmoid().flatten(1), targets.flatten(1)
    overlap = (2 * (inputs * targets).sum(1) + 1) / (inputs.sum(-1) + targets.sum(-1) + 1)
    return (1 - overlap).sum() / num_boxes


class HungarianMatcher(nn.Module):
    """Assigns to each object the prediction with which all costs together are least (Kuhn 1955).

    Args:
        class_cost: weight of the probability of the object's class.
        bbox_cost: weight of the absolute error of the box.
        giou_cost: weight of the generalised IoU of the boxes.
    """

    def __init__(self, class_cost: float = 1, bbox_cost: float = 1, giou_cost: float = 1) -> None:
        super().__init__()
        if not (class_cost or bbox_cost or giou_cost):
            raise ValueError("All costs of the Matcher can't be 0")
        self.class_cost, self.bbox_cost, self.giou_cost = class_cost, bbox_cost, giou_cost

    @torch.no_grad()
    def forward(self, outputs: Mapping[str, Any], targets: Sequence[Mapping[str, Tensor]]) -> Matches:
        """Match the predictions for each image with its objects.

        Args:
            outputs: `logits` `(batch, queries, classes + 1)` and `pred_boxes` `(batch, queries, 4)`.
            targets: one for each image.

        Raises:
            ImportError: scipy is missing.
        """
        try:
            from scipy.optimize import linear_sum_assignment
        except ImportError as error:
            raise ImportError("Losses of object detection need scipy to match boxes: pip install scipy") from error
        matches = []
        for logits, boxes, target in zip(outputs["logits"].float(), outputs["pred_boxes"].float(), targets):
            cost = self.costs(logits, boxes, target["class_labels"], target["boxes"].float())
            rows, columns = linear_sum_assignment(cost.cpu())
            matches.append((torch.as_tensor(rows), torch.as_tensor(columns)))
        return matches

    def costs(self, logits: Tensor, boxes: Tensor, classes: Tensor, wanted: Tensor) -> Tensor:
        """`(queries, objects)` of one image."""
        likely = logits.softmax(-1)[:, classes]
        overlap = generalized_box_iou(to_corners(boxes), to_corners(wanted))
        return self.bbox_cost * torch.cdist(boxes, wanted, p=1) - self.class_cost * likely - self.giou_cost * overlap


class DetectionLoss(nn.Module):
    """Losses of a set of predictions, each matched with an object or with none.

    Args:
        matcher: matches predictions with objects.
        num_classes: without the class "no object", which is the last.
        eos_coef: weight of "no object" in the classification.
        losses: names of what to compute: "labels", "boxes", "cardinality", "masks".
    """

    def __init__(self, matcher: nn.Module, num_classes: int, eos_coef: float, losses: Sequence[str]) -> None:
        super().__init__()
        self.matcher, self.num_classes, self.eos_coef, self.losses = matcher, num_classes, eos_coef, losses
        weight = torch.ones(num_classes + 1)
        weight[-1] = eos_coef
        self.register_buffer("empty_weight", weight)

    def forward(self, outputs: Mapping[str, Any], targets: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """The losses by name, those of `outputs["auxiliary_outputs"]` with "_0", "_1", … at the end."""
        count = max(sum(len(target["class_labels"]) for target in targets), 1)
        found = self.of_layer(outputs, targets, count, self.losses)
        rest = [name for name in self.losses if name != "masks"]  # intermediate layers predict none
        for i, layer in enumerate(outputs.get("auxiliary_outputs") or ()):
            found.update({f"{k}_{i}": v for k, v in self.of_layer(layer, targets, count, rest).items()})
        return found

    def of_layer(
        self, outputs: Mapping[str, Any], targets: Sequence[Mapping[str, Tensor]], count: int, names: Sequence[str]
    ) -> dict[str, Tensor]:
        """The losses of one layer's predictions; `count` is the number of objects."""
        matches = self.matcher(outputs, targets)
        found: dict[str, Tensor] = {}
        for name in names:
            function = getattr(self, f"loss_{name}", None)
            if function is None:
                raise ValueError(f"Loss {name} not supported: use labels, boxes, cardinality or masks")
            found.update(function(outputs, targets, matches, count))
        return found

    def loss_labels(self, outputs: Any, targets: Any, matches: Matches, count: int) -> dict[str, Tensor]:
        """Cross-entropy of the classes, "no object" where nothing was matched."""
        logits = outputs["logits"]
        classes = torch.full(logits.shape[:2], self.num_classes, dtype=torch.int64, device=logits.device)
        classes[_predicted(matches)] = _wanted(targets, matches, "class_labels")
        weight: Any = self.empty_weight.to(logits)  # type: ignore[operator]
        return {"loss_ce": F.cross_entropy(logits.transpose(1, 2), classes, weight)}

    @torch.no_grad()
    def loss_cardinality(self, outputs: Any, targets: Any, matches: Matches, count: int) -> dict[str, Tensor]:
        """By how much the number of predicted objects is wrong; for people, it has no gradient."""
        logits = outputs["logits"]
        wanted = torch.as_tensor([len(target["class_labels"]) for target in targets], device=logits.device)
        found = (logits.argmax(-1) != logits.shape[-1] - 1).sum(1)
        return {"cardinality_error": F.l1_loss(found.float(), wanted.float())}

    def loss_boxes(self, outputs: Any, targets: Any, matches: Matches, count: int) -> dict[str, Tensor]:
        """Absolute error and generalised IoU of the matched boxes."""
        boxes, wanted = outputs["pred_boxes"][_predicted(matches)], _wanted(targets, matches, "boxes")
        overlap = generalized_box_iou(to_corners(boxes), to_corners(wanted)).diagonal()
        return {
            "loss_bbox": F.l1_loss(boxes, wanted, reduction="sum") / count,
            "loss_giou": (1 - overlap).sum() / count,
        }

    def loss_masks(self, outputs: Any, targets: Any, matches: Matches, count: int) -> dict[str, Tensor]:
        """Focal and dice loss of the matched masks, at the size of the largest target."""
        masks = outputs["pred_masks"][_predicted(matches)]
        largest = [max(target["masks"].shape[axis] for target in targets) for axis in (1, 2)]
        padded = [{"masks": _pad(target["masks"], largest)} for target in targets]
        wanted = _wanted(padded, matches, "masks").to(masks)
        masks = F.interpolate(masks[:, None], size=largest, mode="bilinear", align_corners=False)[:, 0].flatten(1)
        wanted = wanted.flatten(1)
        return {"loss_mask": sigmoid_focal_loss(masks, wanted, count), "loss_dice": dice_loss(masks, wanted, count)}


def _pad(masks: Tensor, size: Sequence[int]) -> Tensor:
    return F.pad(masks, (0, size[1] - masks.shape[2], 0, size[0] - masks.shape[1]))


def _predicted(matches: Matches) -> tuple[Tensor, Tensor]:
    """Image and query of each matched prediction."""
    images = [torch.full_like(queries, i) for i, (queries, _) in enumerate(matches)]
    return torch.cat(images), torch.cat([queries for queries, _ in matches])


def _wanted(targets: Any, matches: Matches, key: str) -> Tensor:
    """What the targets say on each matched object."""
    return torch.cat([target[key][objects.to(target[key].device)] for target, (_, objects) in zip(targets, matches)])


def detection_loss(
    outputs: Mapping[str, Any], labels: Sequence[Mapping[str, Tensor]], config: Any
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum of the losses, and the losses by name.

    Args:
        outputs: `logits`, `pred_boxes` and, for the losses of earlier layers, `auxiliary_outputs`.
        labels: `class_labels` and `boxes` for each image.
        config: gives `class_cost`, `bbox_cost`, `giou_cost`, `eos_coefficient`, `bbox_loss_coefficient`,
            `giou_loss_coefficient` and `num_labels`.

    Raises:
        ValueError: there is not one target for each image.
        KeyError: a target lacks a field.
    """
    logits = outputs["logits"]
    if len(labels) != len(logits):
        raise ValueError(f"labels must hold one dictionary for each image: expected {len(logits)}, found {len(labels)}")
    targets = [{key: label[key].to(logits.device) for key in ("class_labels", "boxes")} for label in labels]
    matcher = HungarianMatcher(config.class_cost, config.bbox_cost, config.giou_cost)
    names = ("labels", "boxes", "cardinality")
    found = DetectionLoss(matcher, config.num_labels, config.eos_coefficient, names)(outputs, targets)
    weights = {
        "loss_ce": 1,
        "loss_bbox": config.bbox_loss_coefficient,
        "loss_giou": config.giou_loss_coefficient,
    }
    return sum(found[name] * weights.get(name.rstrip("0123456789_"), 0) for name in found), found  # type: ignore[return-value]


class MLPPredictionHead(nn.Module):
    """Linear layers with ReLU between them."""

    def __init__(self, input_dim: int, hidden_dim: int, output_dim: int, num_layers: int) -> None:
        super().__init__()
        widths = [input_dim, *[hidden_dim] * (num_layers - 1), output_dim]
        self.num_layers = num_layers
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        for i, layer in enumerate(self.layers):
            x = layer(x) if i == 0 else layer(F.relu(x))
        return x
