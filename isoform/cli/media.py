"""Files of images and sounds as inputs, and results saved as pictures and subtitles."""

from __future__ import annotations

import io
import os
from collections import Counter
from pathlib import Path
from typing import Any

from .common import UsageError

# Task -> what its results are saved as: the suffix of files in a folder.
SAVED = {
    "object-detection": ".png",
    "image-segmentation": ".png",
    "depth-estimation": ".png",
    "automatic-speech-recognition": ".srt",
}


def existing_file(source: Any, medium: str) -> Any:
    """The input, after a check that a file of this name is there (addresses and objects pass).

    Raises:
        UsageError: there is none.
    """
    if isinstance(source, str) and not source.startswith(("http://", "https://")) and not os.path.isfile(source):
        raise UsageError(f"there is no {medium} {source!r}: inputs of this task are files or URLs")
    return source


class Saver:
    """Writes the results of a run as pictures (boxes, masks, depth) or subtitles.

    Args:
        path: A file, or for several inputs a folder, in which files are named after the inputs.
        task: The task.
        call: The arguments of the pipeline's call, to which what is needed is added.

    Raises:
        UsageError: results of this task have no such form, or files of this kind cannot be written.
    """

    def __init__(self, path: str, task: str, call: dict[str, Any]) -> None:
        if task not in SAVED:
            raise UsageError(f"--save is for {', '.join(SAVED)}, not for {task}; to save text use --output")
        self.path, self.task, self.in_folder = Path(path), task, False
        self.names: Counter[str] = Counter()
        if task == "automatic-speech-recognition":
            call.setdefault("return_timestamps", "word")

    def use_folder(self) -> None:
        """Several inputs come: `path` is a folder."""
        if self.path.is_file() or self.path.suffix:
            raise UsageError(f"--save {self.path}: for several inputs it names a folder, not a file")
        self.in_folder = True

    def check(self) -> None:
        """Find out before anything is computed whether files of this kind can be written."""
        suffix = self.path.suffix.lower()
        if self.in_folder:
            self.path.mkdir(parents=True, exist_ok=True)
            return
        if not self.path.resolve().parent.is_dir():
            raise UsageError(f"--save {self.path}: there is no folder {self.path.resolve().parent}")
        if SAVED[self.task] == ".srt":
            if suffix not in (".srt", ".txt"):
                raise UsageError(f"--save {self.path}: speech is saved as .srt (with times) or .txt")
            return
        from PIL import Image

        if suffix not in Image.registered_extensions():
            raise UsageError(f"--save {self.path}: pictures are saved as .png, .jpg, .webp and the like")

    def save(self, source: Any, result: Any) -> Path:
        """Write the result for one input; returns where."""
        from ..utils.files import atomic_write

        path = self._place(source)
        content = self._subtitles(path, result) if SAVED[self.task] == ".srt" else self._picture(path, source, result)
        with atomic_write(path, "wb") as file:
            file.write(content)
        return path

    def _place(self, source: Any) -> Path:
        if not self.in_folder:
            return self.path
        name = Path(source.split("?")[0]).stem if isinstance(source, str) else "input"
        self.names[name] += 1
        number = "" if self.names[name] == 1 else f"-{self.names[name]}"
        return self.path / f"{name}{number}{SAVED[self.task]}"

    def _subtitles(self, path: Path, result: dict[str, Any]) -> bytes:
        from ..pipelines.pictures import subtitles

        text = result["text"] + "\n" if path.suffix.lower() == ".txt" else subtitles(result["chunks"])
        return text.encode()

    def _picture(self, path: Path, source: Any, result: Any) -> bytes:
        from PIL import Image

        from ..pipelines.image_inputs import open_image
        from ..pipelines.pictures import draw_boxes, draw_masks

        if self.task == "depth-estimation":
            picture = result["depth"]
        else:
            draw = draw_boxes if self.task == "object-detection" else draw_masks
            picture = draw(open_image(source), result)
        buffer = io.BytesIO()
        picture.save(buffer, Image.registered_extensions()[path.suffix.lower()])
        return buffer.getvalue()


def image_as_json(image: Any) -> dict[str, Any]:
    """A picture in a result. Of a mask the lengths of its runs, row by row, the first (maybe empty) outside of it."""
    import numpy as np

    size = {"size": list(image.size)}
    pixels = np.asarray(image).reshape(-1)
    if image.mode != "L" or not np.isin(pixels, (0, 255)).all():
        return {**size, "mode": image.mode}
    changes = np.flatnonzero(np.diff(pixels, prepend=np.uint8(0))).tolist()
    return {**size, "counts": np.diff([0, *changes, len(pixels)]).tolist()}


def mask_share(mask: dict[str, Any]) -> float:
    """The share of an image that a mask, as `image_as_json` writes it, covers."""
    return sum(mask["counts"][1::2]) / max(1, sum(mask["counts"]))
