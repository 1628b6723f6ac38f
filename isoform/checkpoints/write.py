"""Writing the weights of a model: names, shared tensors, shards."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..utils import constants as names
from ..utils import logging
from .files import add_variant
from .shards import shard_checkpoint

logger = logging.get_logger(__name__)


def state_to_save(model: Any, state_dict: Mapping[str, Tensor] | None) -> dict[str, Tensor]:
    """The tensors of a checkpoint: those given, or the model's, without the keys that the architecture never saves."""
    if state_dict is None:
        state_dict = _offloaded_state(model) if _is_offloaded(model) else model.state_dict()
    ignored = set(model._keys_to_ignore_on_save or ())
    return {name: value for name, value in state_dict.items() if name not in ignored and isinstance(value, Tensor)}


def _is_offloaded(model: Any) -> bool:
    return any(tensor.is_meta for tensor in model.state_dict().values() if isinstance(tensor, Tensor))


def _offloaded_state(model: Any) -> Mapping[str, Tensor]:
    if not hasattr(model, "_hf_hook") and not getattr(model, "hf_device_map", None):
        raise ValueError(
            f"Cannot save {type(model).__name__}: it has parameters on the meta device, that is without values. Load or"
            " initialise them first."
        )
    from accelerate.utils.modeling import get_state_dict_offloaded_model

    return get_state_dict_offloaded_model(model)


def without_duplicates(state: Mapping[str, Tensor], tied: Iterable[str]) -> dict[str, Tensor]:
    """The tensors to write to safetensors, each with memory of its own and contiguous.

    Of names that are one tensor, those that match a pattern of `tied` are left out while another name remains: loading
    ties them again. Other names that share memory, which no later load would know, are written in full.
    """
    patterns = [re.compile(pattern) for pattern in tied]
    kept: dict[str, Tensor] = {}
    for group in _same_memory(state):
        dispensable = [name for name in group if any(pattern.search(name) for pattern in patterns)]
        if len(dispensable) == len(group):
            dispensable = group[1:]
        for position, name in enumerate(name for name in group if name not in dispensable):
            kept[name] = state[name].detach() if position == 0 else state[name].detach().clone()
    spans = _overlapping(kept)
    return {name: (kept[name].clone() if name in spans else kept[name]).contiguous() for name in state if name in kept}


def _same_memory(state: Mapping[str, Tensor]) -> list[list[str]]:
    groups: dict[Any, list[str]] = {}
    for name, tensor in state.items():
        shared = tensor.device.type != "meta" and tensor.numel() > 0
        key = (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype) if shared else name
        groups.setdefault(key, []).append(name)
    return list(groups.values())


def _overlapping(state: Mapping[str, Tensor]) -> set[str]:
    """Names of tensors that share a part of their memory with another: views and slices."""
    overlapping: set[str] = set()
    by_device: dict[Any, list[tuple[int, int, str]]] = {}
    for name, tensor in state.items():
        if tensor.numel():
            extent = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride())) + 1
            start = tensor.data_ptr()
            by_device.setdefault(tensor.device, []).append((start, start + extent * tensor.element_size(), name))
    for spans in by_device.values():
        spans.sort()
        end, last = 0, ""
        for start, stop, name in spans:
            if start < end:
                overlapping |= {name, last}
            if stop > end:
                end, last = stop, name
    return overlapping


class WeightWriter:
    """Writes the weights of one checkpoint into a folder and knows which older files they replace.

    Args:
        state: The tensors.
        max_shard_size: Largest size of a file in bytes, or as `"5GB"`.
        safe: safetensors instead of `.bin`.
        variant: Part of the file names.
        save_function: Writes a `.bin`: called with the tensors and a path.
    """

    def __init__(
        self,
        state: dict[str, Tensor],
        max_shard_size: int | str,
        safe: bool,
        variant: str | None,
        save_function: Callable[..., Any] = torch.save,
    ) -> None:
        self.safe, self.variant, self.save_function = safe, variant, save_function
        self.name, self.index_name = self._names(safe)
        self.shards, self.index = shard_checkpoint(state, max_shard_size, self.name)

    safe_name, bin_name = names.SAFE_WEIGHTS_NAME, names.WEIGHTS_NAME

    @classmethod
    def of_adapter(cls, *args: Any) -> WeightWriter:
        """A writer that gives files the names of an adapter's."""
        return _AdapterWriter(*args)

    def _names(self, safe: bool) -> tuple[str, str]:
        name = add_variant(self.safe_name if safe else self.bin_name, self.variant)
        return name, add_variant(f"{self.safe_name if safe else self.bin_name}.index.json", self.variant)

    def write(self, folder: str | os.PathLike[str]) -> None:
        """Writes the shards, then the index if there is one."""
        for name, tensors in self.shards.items():
            path = os.path.join(folder, name)
            if self.safe:
                _save_safetensors(tensors, path)
            else:
                _save_bin(tensors, path, self.save_function)
        if self.index is not None:
            text = json.dumps(self.index, indent=2, sort_keys=True) + "\n"
            Path(folder, self.index_name).write_text(text, encoding="utf-8")

    def stale(self, present: Iterable[str]) -> set[str]:
        """Older files that would be loaded in place of the new ones, or that belonged to what was replaced."""
        # Safetensors are preferred on loading, so older ones would hide a new `.bin`.
        kinds = [self._names(True)] + ([] if self.safe else [self._names(False)])
        written = {*self.shards, *([self.index_name] if self.index is not None else [])}
        return {
            name
            for name in present
            if name not in written and any(name in kind or _is_shard_of(kind[0], name) for kind in kinds)
        }


class _AdapterWriter(WeightWriter):
    safe_name, bin_name = names.ADAPTER_SAFE_WEIGHTS_NAME, names.ADAPTER_WEIGHTS_NAME


def _is_shard_of(single: str, name: str) -> bool:
    stem, _, suffix = single.rpartition(".")
    return re.fullmatch(rf"{re.escape(stem)}-\d{{5}}-of-\d{{5}}\.{re.escape(suffix)}", name) is not None


def _save_safetensors(tensors: dict[str, Tensor], path: str) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(tensors, path, metadata={"format": "pt"})
    except SafetensorError as error:
        raise _as_os_error(error, path) from error


def _save_bin(tensors: dict[str, Tensor], path: str, save_function: Callable[..., Any]) -> None:
    try:
        save_function(tensors, path)
    except RuntimeError as error:
        if save_function is not torch.save:
            raise
        # torch reports a full disk as a position in the archive that it did not expect.
        raise OSError(f"cannot write {path}: {error}. Is the disk full? The old checkpoint is intact.") from error


def _as_os_error(error: Exception, path: str) -> OSError:
    """The library reports a full disk as its own error, with the system's number in the text."""
    number = re.search(r"os error (\d+)", str(error))
    text = f"cannot write the weights: {error}. Free some space, or choose another folder; the old checkpoint is intact"
    return OSError(int(number[1]) if number else 0, text, path)
