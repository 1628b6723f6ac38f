"""Depth estimation: how far away each pixel is."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .image_inputs import ImagePipeline, given


class DepthEstimationPipeline(ImagePipeline):
    """Predicts depth with a model that has a depth estimation head.

    Task: "depth-estimation".

    Args:
        timeout: Seconds to wait for images that are given as URLs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_DEPTH_ESTIMATION_MAPPING

        self.check_model_type(MODEL_FOR_DEPTH_ESTIMATION_MAPPING)

    def _sanitize_parameters(
        self, timeout: float | None = None, **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return given(timeout=timeout), {}, {}

    def __call__(self, images: Any, **kwargs: Any) -> Any:
        """Estimate depth.

        Args:
            images: A path, URL, the bytes of a file, a PIL image, an array, or many of these.

        Returns:
            For each image `{"predicted_depth", "depth"}`: the model's tensor (1, height, width) at its own size, and a
            PIL image as large as the input with values scaled so that the largest depth is 255.
        """
        return super().__call__(images, **kwargs)

    def _prepare(self, images: list[Any], **options: Any) -> Any:
        inputs = super()._prepare(images, **options)
        inputs["target_size"] = torch.tensor([[image.height, image.width] for image in images])
        return inputs

    def _forward(self, model_inputs: Any) -> Any:
        target_size = model_inputs.pop("target_size")
        outputs = self.model(**model_inputs)
        outputs["target_size"] = target_size
        return outputs

    def postprocess(self, model_outputs: Any) -> dict[str, Any]:
        from PIL import Image

        predicted = model_outputs["predicted_depth"]
        size = model_outputs["target_size"][0].tolist()
        depth = torch.nn.functional.interpolate(predicted.float()[:, None], size=size, mode="bicubic")[0, 0].numpy()
        # Bicubic curves may go below zero, or above what they connect.
        picture = Image.fromarray((depth * 255 / np.max(depth)).clip(0, 255).astype("uint8"))
        return {"predicted_depth": predicted, "depth": picture}
