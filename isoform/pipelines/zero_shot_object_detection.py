"""Zero-shot object detection: boxes around things that are named in the call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from .base import ChunkPipeline
from .image_inputs import ImagePipeline, given, open_image
from .object_detection import bounding_box
from .zero_shot_inputs import parse_labels


class ZeroShotObjectDetectionPipeline(ImagePipeline, ChunkPipeline):
    """Finds what is named, with a model of images and texts that predicts boxes. Each label is one forward pass.

    Task: "zero-shot-object-detection".

    Args:
        candidate_labels: What to look for: a list, or one string with commas between names.
        threshold: Objects below this probability are left out (default 0.1).
        top_k: How many objects to return; by default all.
        timeout: Seconds to wait for images that are given as URLs.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_ZERO_SHOT_OBJECT_DETECTION_MAPPING

        self.check_model_type(MODEL_FOR_ZERO_SHOT_OBJECT_DETECTION_MAPPING)

    def _sanitize_parameters(
        self, timeout: float | None = None, threshold: float | None = None, top_k: int | None = None, **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return given(timeout=timeout), {}, given(threshold=threshold, top_k=top_k)

    def __call__(self, image: Any, candidate_labels: Any = None, **kwargs: Any) -> Any:
        """Detect.

        Args:
            image: An image (path, URL, bytes, PIL image, array), or `{"image", "candidate_labels"}`, or a list of
                these dictionaries.
            candidate_labels: What to look for, if the image is given alone.

        Returns:
            For each image a list of `{"score", "label", "box": {"xmin", "ymin", "xmax", "ymax"}}`, best first.
        """
        labels = kwargs.pop("text_queries", candidate_labels)
        if labels is not None and isinstance(image, list):
            return super().__call__([{"image": entry, "candidate_labels": labels} for entry in image], **kwargs)
        return super().__call__(image if labels is None else {"image": image, "candidate_labels": labels}, **kwargs)

    def preprocess(  # type: ignore[override]
        self, inputs: dict[str, Any], timeout: float | None = None
    ) -> Iterator[dict[str, Any]]:
        image, labels = open_image(inputs["image"], timeout), parse_labels(inputs["candidate_labels"])
        size = torch.tensor([[image.height, image.width]], dtype=torch.int32)
        pixels = self.image_processor(images=image, return_tensors=self.framework)
        for index, label in enumerate(labels):
            yield {
                "is_last": index == len(labels) - 1,
                "target_size": size,
                "candidate_label": label,
                **self.tokenizer(label, return_tensors=self.framework),
                **pixels,
            }

    def preprocess_batch(self, inputs: list[Any], **options: Any) -> list[list[Any]]:  # type: ignore[override]
        return [list(self.preprocess(item, **options)) for item in inputs]

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Any]:
        inputs = dict(model_inputs)
        kept = {key: inputs.pop(key) for key in ("target_size", "candidate_label", "is_last")}
        return {**kept, **self.model(**inputs)}

    def postprocess(
        self, model_outputs: list[Any], threshold: float = 0.1, top_k: int | None = None
    ) -> list[dict[str, Any]]:
        from ..utils.generic import ModelOutput

        results = []
        for output in model_outputs:
            found = self.image_processor.post_process_object_detection(
                outputs=ModelOutput(output), threshold=threshold, target_sizes=output["target_size"]
            )[0]
            results += [
                {"score": score, "label": output["candidate_label"], "box": bounding_box(box)}
                for score, box in zip(found["scores"].tolist(), found["boxes"])
                if score
            ]
        results.sort(key=lambda entry: -entry["score"])
        return results[:top_k]

    def _get_bounding_box(self, box: torch.Tensor) -> dict[str, int]:
        return bounding_box(box)
