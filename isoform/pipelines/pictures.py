"""Results that people would rather look at: boxes and masks drawn on the image, depth maps, subtitles."""

from __future__ import annotations

import colorsys
import math
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

# A subtitle ends after so many letters or seconds, or where the speaker pauses this long.
SUBTITLE_LETTERS, SUBTITLE_SECONDS, SUBTITLE_PAUSE = 84, 6.0, 0.8


def draw_boxes(image: Image, objects: Iterable[dict[str, Any]]) -> Image:
    """A copy of the image with what `object-detection` found in it: a box, its label and its score for each."""
    from PIL import ImageDraw

    picture = image.convert("RGB")
    draw, line = ImageDraw.Draw(picture), max(2, round(min(image.size) / 200))
    # The surest last, so that its label is not covered.
    for entry in sorted(objects, key=lambda entry: entry["score"]):
        box, color = entry["box"], color_of(entry["label"])
        corners = _sorted_corners(box["xmin"], box["ymin"], box["xmax"], box["ymax"])
        draw.rectangle(corners, outline=color, width=line)
        _label(draw, corners[:2], f"{entry['label']} {entry['score']:.2f}", color, picture.size)
    return picture


def draw_masks(image: Image, segments: Iterable[dict[str, Any]], opacity: float = 0.55) -> Image:
    """A copy of the image with the segments that `image-segmentation` found, each in its colour, with its label."""
    import numpy as np
    from PIL import Image as Images
    from PIL import ImageDraw

    pixels = np.asarray(image.convert("RGB")).astype(np.float32)
    labels: list[tuple[str, tuple[int, int, int], tuple[float, float]]] = []
    seen: set[str] = set()
    for entry in segments:
        mask = np.asarray(entry["mask"]) > 0
        # Several things of one kind get different shades.
        color = color_of(entry["label"], shade=sum(entry["label"] == label for label, _, _ in labels))
        pixels[mask] = (1 - opacity) * pixels[mask] + opacity * np.asarray(color, np.float32)
        if mask.any():
            labels.append((entry["label"], color, _inner_point(mask)))
    picture = Images.fromarray(pixels.round().astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for label, color, point in labels:
        if label not in seen:
            _label(draw, point, label, color, picture.size)
        seen.add(label)
    return picture


def color_of(label: str, shade: int = 0) -> tuple[int, int, int]:
    """A colour that always belongs to this label."""
    hue = zlib.crc32(label.encode()) % 997 / 997
    value = (1.0, 0.72, 0.86, 0.6)[shade % 4]
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb((hue + shade // 4 / 17) % 1, 0.8, value))
    return red, green, blue


def _sorted_corners(xmin: float, ymin: float, xmax: float, ymax: float) -> tuple[float, float, float, float]:
    return min(xmin, xmax), min(ymin, ymax), max(xmin, xmax), max(ymin, ymax)


def _inner_point(mask: Any) -> tuple[float, float]:
    """A point of the mask, (x, y): the one nearest to its centre."""
    rows, columns = mask.nonzero()
    nearest = ((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2).argmin()
    return float(columns[nearest]), float(rows[nearest])


def _label(draw: Any, place: tuple[float, float], text: str, color: Any, size: tuple[int, int]) -> None:
    """The text on a patch of the colour, above `place` if there is room, and inside the image."""
    from PIL import ImageFont

    font = ImageFont.load_default(max(10, round(min(size) / 32)))
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    width, height = right - left + 4, bottom - top + 4
    x = max(0, min(place[0], size[0] - width))
    y = place[1] - height if place[1] >= height else min(place[1], max(0, size[1] - height))
    draw.rectangle((x, y, x + width, y + height), fill=color)
    dark = sum(part * weight for part, weight in zip(color, (0.299, 0.587, 0.114))) > 140
    draw.text((x + 2 - left, y + 2 - top), text, fill=(0, 0, 0) if dark else (255, 255, 255), font=font)


def subtitles(chunks: Iterable[dict[str, Any]]) -> str:
    """An .srt file of the "chunks" of a recognised recording (`return_timestamps="word"`), words joined to cues."""
    blocks = [
        f"{number}\n{_clock(start)} --> {_clock(end)}\n{text}\n"
        for number, (start, end, text) in enumerate(_cues(chunks), 1)
    ]
    return "\n".join(blocks)


def _cues(chunks: Iterable[dict[str, Any]]) -> Iterator[tuple[float, float, str]]:
    words: list[str] = []
    start = end = 0.0
    for chunk in chunks:
        begin, stop = chunk["timestamp"]
        stop = begin if stop is None else stop
        text = chunk["text"].strip()
        if not text:
            continue
        length = sum(map(len, words)) + len(words) + len(text)
        if words and (begin - end > SUBTITLE_PAUSE or length > SUBTITLE_LETTERS or stop - start > SUBTITLE_SECONDS):
            yield start, end, " ".join(words)
            words = []
        if not words:
            start = begin
        words.append(text)
        end = stop
    if words:
        yield start, end, " ".join(words)


def _clock(seconds: float) -> str:
    """Seconds as subtitles write them: 00:01:02,345."""
    milliseconds = math.floor(seconds * 1000 + 0.5)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02},{rest % 1000:03}"
