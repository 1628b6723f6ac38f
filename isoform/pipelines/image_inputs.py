"""What the image pipelines share: opening images in all their forms, and preparing many at once."""

from __future__ import annotations

import io
import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from .base import Pipeline
from .media import is_url, read_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

# Images that are prepared before the first pass under batch_size="auto": they are large, and most have one size.
IMAGE_WINDOW = 64


def open_image(image: Any, timeout: float | None = None) -> Image:
    """An RGB image, the right way up.

    Args:
        image: A path, a URL, base64 text, the bytes of an image file, a PIL image, an array or tensor (channels first
            or last; whole numbers to 255, or fractions to 1), or an undecoded entry of a dataset, `{"bytes", "path"}`.
        timeout: Seconds to wait for a URL.

    Raises:
        ValueError: it is none of these.
        OSError: it cannot be read.
    """
    import PIL.Image

    from ..image_transforms import to_pil_image
    from ..image_utils import load_image

    if isinstance(image, dict) and (image.get("bytes") is not None or image.get("path")):
        image = image["path"] if image.get("bytes") is None else image["bytes"]
    if isinstance(image, os.PathLike):
        image = os.fspath(image)
    if is_url(image):
        image = read_bytes(image, timeout)
    if isinstance(image, (bytes, bytearray)):
        try:
            image = PIL.Image.open(io.BytesIO(image))
        except PIL.UnidentifiedImageError as error:
            raise ValueError(f"these {len(image)} bytes are not an image of a format that Pillow reads") from error
    elif hasattr(image, "shape") and hasattr(image, "dtype"):
        image = to_pil_image(image)
    return load_image(image, timeout=timeout)


class ImagePipeline(Pipeline):
    """A pipeline whose input is one image, given as `open_image` takes it.

    Args:
        timeout: Seconds to wait for images that are given as URLs.
    """

    window = IMAGE_WINDOW

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._require("image_processor")

    def preprocess(self, image: Any, timeout: float | None = None, **options: Any) -> Any:
        return self._prepare([open_image(image, timeout)], **options)

    def preprocess_batch(self, inputs: list[Any], timeout: float | None = None, **options: Any) -> list[list[Any]]:
        images = [open_image(image, timeout) for image in inputs]
        by_size: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, image in enumerate(images):
            by_size[image.size].append(index)
        prepared: list[Any] = [None] * len(images)
        for indices in by_size.values():
            batch = self._prepare([images[index] for index in indices], **options)
            for row, index in enumerate(indices):
                single = {key: value[row : row + 1] for key, value in batch.items()}
                prepared[index] = type(batch)(single)
        return [[inputs] for inputs in prepared]

    def _prepare(self, images: list[Image], **options: Any) -> Any:
        """Images of one size to a batch for the model: a dictionary of tensors (or lists) with a row for each."""
        return self.image_processor(images=images, return_tensors=self.framework, **options)


def given(**parameters: Any) -> dict[str, Any]:
    """The parameters that are not None: what the caller set."""
    return {name: value for name, value in parameters.items() if value is not None}
