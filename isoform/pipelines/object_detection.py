"""Object detection: boxes around the things in an image, with labels."""

from __future__ import annotations

from typing import Any

import torch

from .image_inputs import ImagePipeline, given


class ObjectDetectionPipeline(ImagePipeline):
    """Finds objects with a model that has an object detection head.

    Task: "object-detection".

    Args:
        threshold: Objects below this probability are left out (default 0.9).
        timeout: Seconds to wait for images that are given as URLs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_OBJECT_DETECTION_MAPPING

        self.check_model_type(MODEL_FOR_OBJECT_DETECTION_MAPPING)

    def _sanitize_parameters(
        self, timeout: float | None = None, threshold: float | None = None, **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return given(timeout=timeout), {}, given(threshold=threshold)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Detect.

        Args:
            images: A path, URL, the bytes of a file, a PIL image, an array, or many of these.

        Returns:
            For each image a list of `{"score", "label", "box": {"xmin", "ymin", "xmax", "ymax"}}`, boxes in pixels of
            the image.
        """
        return super().__call__(*args, **kwargs)

    def _prepare(self, images: list[Any], **options: Any) -> Any:
        inputs = super()._prepare(images, **options)
        inputs["target_size"] = torch.tensor([[image.height, image.width] for image in images], dtype=torch.int32)
        return inputs

    def _forward(self, model_inputs: Any) -> Any:
        target_size = model_inputs.pop("target_size")
        outputs = self.model(**model_inputs)
        outputs["target_size"] = target_size
        return outputs

    def postprocess(self, model_outputs: Any, threshold: float = 0.9) -> list[dict[str, Any]]:
        found = self.image_processor.post_process_object_detection(
            model_outputs, threshold, model_outputs["target_size"]
        )[0]
        return [
            {"score": score, "label": self.model.config.id2label[label], "box": self._get_bounding_box(box)}
            for score, label, box in zip(found["scores"].tolist(), found["labels"].tolist(), found["boxes"])
        ]

    def _get_bounding_box(self, box: torch.Tensor) -> dict[str, int]:
        return bounding_box(box)


def bounding_box(box: torch.Tensor) -> dict[str, int]:
    """A box, (4,), with names and in whole pixels."""
    return dict(zip(("xmin", "ymin", "xmax", "ymax"), box.int().tolist()))
