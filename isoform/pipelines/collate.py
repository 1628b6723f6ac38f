"""From single model inputs, each with a batch axis of one, to padded batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

# Padding of features that come from a feature extractor is not the tokenizer's business.
_FEATURE_KEYS = {"pixel_values", "pixel_mask", "image"}


def no_collate_fn(items: list[Any]) -> Any:
    """The only item of a batch of one."""
    if len(items) != 1:
        raise ValueError(f"Expected one item, because batch_size=1; found {len(items)}")
    return items[0]


def pad_tensors(tensors: list[torch.Tensor], value: float, side: str = "right") -> torch.Tensor:
    """Concatenate along the batch axis, padding axis 1 of each tensor to the longest.

    Tensors of one axis, and images (four axes and more), must have equal shapes already.
    """
    if tensors[0].dim() < 2 or tensors[0].dim() > 3 or len({tensor.shape[1] for tensor in tensors}) == 1:
        return torch.cat(tensors)
    longest = max(tensor.shape[1] for tensor in tensors)
    rows = sum(tensor.shape[0] for tensor in tensors)
    padded = tensors[0].new_full((rows, longest, *tensors[0].shape[2:]), value)
    row = 0
    for tensor in tensors:
        count, length = tensor.shape[:2]
        start = longest - length if side == "left" else 0
        padded[row : row + count, start : start + length] = tensor
        row += count
    return padded


def join_images(key: str, images: list[torch.Tensor], padded: bool) -> torch.Tensor:
    """Concatenate along the batch axis, padding height and width with zeros where a `pixel_mask` tells the model.

    Raises:
        ValueError: sizes differ, and the model would take padding for a part of the image.
    """
    sizes = {tuple(image.shape[1 if image.dim() == 3 else 2 :]) for image in images}
    if len(sizes) == 1 or not padded:
        if len(sizes) > 1:
            raise ValueError(
                f"These images have different sizes after preparation ({sorted(sizes)}), and this model cannot tell "
                'padding from image: use batch_size="auto", which joins those of one size, or batch_size=1'
            )
        return torch.cat(images)
    height, width = (max(image.shape[axis] for image in images) for axis in (-2, -1))
    return torch.cat(
        [torch.nn.functional.pad(image, (0, width - image.shape[-1], 0, height - image.shape[-2])) for image in images]
    )


def collate(
    items: list[dict[str, Any]], padding: dict[str, float], default: float = 0, side: str = "right"
) -> dict[str, Any]:
    """One batch of dictionaries with equal keys: tensors are padded and joined, other values gathered in lists.

    Args:
        padding: The padding value by key.
        default: The padding value of the keys that `padding` does not name.
    """
    keys = set(items[0])
    for item in items:
        if set(item) != keys:
            raise ValueError(f"Items with different keys cannot form a batch: {set(item)} and {keys}")
    batch: dict[str, Any] = {}
    for key in items[0]:
        values = [item[key] for item in items]
        if not isinstance(values[0], torch.Tensor):
            batch[key] = values
        elif key in _FEATURE_KEYS:
            batch[key] = join_images(key, values, padded="pixel_mask" in keys)
        else:
            batch[key] = pad_tensors(values, padding.get(key, default), side)
    return batch


def cut_right(output: Any, padding: int, length: int) -> Any:
    """Cut `padding` positions off the right of axis 1 of all tensors in `output` that have `length` of them there."""
    if isinstance(output, torch.Tensor):
        return output[:, : length - padding] if output.dim() > 1 and output.shape[1] == length else output
    if isinstance(output, Mapping):
        return type(output)({key: cut_right(value, padding, length) for key, value in output.items()})  # type: ignore[call-arg]
    if isinstance(output, tuple):
        return tuple(cut_right(value, padding, length) for value in output)
    return output


def token_padding(pad_token_id: int, pad_token_type_id: int = 0) -> dict[str, float]:
    """The padding value of each tensor that a tokenizer returns; the rest is padded with zero."""
    return {"input_ids": pad_token_id, "token_type_ids": pad_token_type_id, "special_tokens_mask": 1, "p_mask": 1}


def feature_padding(feature_extractor: Any) -> dict[str, float]:
    """The padding value of the tensors that a feature extractor returns, where it has one."""
    value = getattr(feature_extractor, "padding_value", None)
    return {} if value is None else dict.fromkeys(("input_values", "input_features"), value)


def pad_collate_fn(tokenizer: Any, feature_extractor: Any) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
    """A function that pads and joins model inputs the way `tokenizer` and `feature_extractor` pad.

    Raises:
        ValueError: neither is given, the tokenizer has no padding token, or the two pad on different sides.
    """
    if tokenizer is None and feature_extractor is None:
        raise ValueError(
            "A batch must be padded, and a pipeline without tokenizer or feature_extractor cannot do "
            "that: use batch_size=1"
        )
    padding: dict[str, float] = {}
    sides = {getattr(feature_extractor, "padding_side", None)}
    if tokenizer is not None:
        if tokenizer.pad_token_id is None:
            raise ValueError(
                "A batch must be padded, and the tokenizer is without pad_token: set `pipe.tokenizer.pad_token_id "
                "= model.config.eos_token_id`, or use batch_size=1."
            )
        padding = token_padding(tokenizer.pad_token_id, tokenizer.pad_token_type_id)
        sides.add(tokenizer.padding_side)
    padding.update(feature_padding(feature_extractor))
    sides.discard(None)
    if len(sides) > 1:
        raise ValueError(f"The tokenizer and the feature extractor pad on different sides: {sides}")
    side = sides.pop() or "right" if sides else "right"
    return lambda items: collate(items, padding, side=side)
