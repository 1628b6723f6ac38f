"""Image to image: larger, cleaner or otherwise changed images."""

from __future__ import annotations

from typing import Any

import numpy as np

from .image_inputs import ImagePipeline, given


class ImageToImagePipeline(ImagePipeline):
    """Reconstructs images with a model such as those for super-resolution.

    Task: "image-to-image".

    Args:
        timeout: Seconds to wait for images that are given as URLs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_IMAGE_TO_IMAGE_MAPPING

        self.check_model_type(MODEL_FOR_IMAGE_TO_IMAGE_MAPPING)

    def _sanitize_parameters(
        self, timeout: float | None = None, **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return given(timeout=timeout), {}, {}

    def __call__(self, images: Any, **kwargs: Any) -> Any:
        """Transform.

        Args:
            images: A path, URL, the bytes of a file, a PIL image, an array, or many of these.

        Returns:
            For each image a PIL image.
        """
        return super().__call__(images, **kwargs)

    def _forward(self, model_inputs: Any) -> Any:
        return self.model(**model_inputs)

    def postprocess(self, model_outputs: Any) -> Any:
        from PIL import Image

        pixels = model_outputs["reconstruction"][0].float().clamp(0, 1).permute(1, 2, 0).numpy()
        return Image.fromarray((pixels * 255.0).round().astype(np.uint8))
