"""Checkpoints in several files with an index."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import CheckpointError
from ..pytorch_utils import id_tensor_storage
from ..utils import constants as names
from ..utils.hub import convert_file_size_to_int, get_checkpoint_shard_files
from .read import WeightFile
from .transaction import committed_path


def shard_checkpoint(
    state_dict: Mapping[str, Tensor], max_shard_size: int | str = "10GB", weights_name: str = names.WEIGHTS_NAME
) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any] | None]:
    """Distributes tensors over files of limited size, in their order; tensors that share memory stay together.

    Args:
        state_dict: Tensors by name.
        max_shard_size: In bytes, or as `"5GB"`. A single larger tensor gets a file of its own.
        weights_name: Name of the file if one is enough; shards insert `-00001-of-00002`.

    Returns:
        The tensors of each file, and the content of the index (None for a single file).
    """
    limit = convert_file_size_to_int(max_shard_size)
    shards: list[dict[str, Tensor]] = [{}]
    sizes = [0]
    shard_of: dict[Any, int] = {}
    for name, tensor in state_dict.items():
        size = tensor.numel() * tensor.element_size()
        memory = id_tensor_storage(tensor)
        together = shard_of.get(memory)
        if together is not None and tensor.device.type != "meta" and _whole(tensor):
            shards[together][name] = tensor
            continue
        if shards[-1] and sizes[-1] + size > limit:
            shards.append({})
            sizes.append(0)
        shards[-1][name] = tensor
        sizes[-1] += size
        shard_of[memory] = len(shards) - 1
    return _named(shards, weights_name, sum(sizes))


def _whole(tensor: Tensor) -> bool:
    """Whether a tensor is all of its storage: a mapped file may be one storage of unrelated tensors."""
    return tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()


def _named(
    shards: list[dict[str, Tensor]], weights_name: str, total: int
) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any] | None]:
    if len(shards) == 1:
        return {weights_name: shards[0]}, None
    stem, _, suffix = weights_name.rpartition(".")
    files = {f"{stem}-{i:05d}-of-{len(shards):05d}.{suffix}": shard for i, shard in enumerate(shards, 1)}
    weight_map = {name: file for file, shard in files.items() for name in shard}
    return files, {"metadata": {"total_size": total}, "weight_map": weight_map}


def load_sharded_checkpoint(
    model: nn.Module, folder: str | os.PathLike[str], strict: bool = True, prefer_safe: bool = True
) -> Any:
    """Loads the shards of a folder into a model, one after the other, as `load_state_dict` would the whole.

    Args:
        model: Any module.
        folder: Holds the index and the shards.
        strict: Missing or unexpected keys are an error.
        prefer_safe: Takes safetensors where there are both.

    Returns:
        A named tuple of `missing_keys` and `unexpected_keys`.

    Raises:
        ValueError: There is no index.
        RuntimeError: `strict`, and the keys differ.
    """
    order = [names.SAFE_WEIGHTS_INDEX_NAME, names.WEIGHTS_INDEX_NAME]
    paths = [committed_path(folder, name) for name in (order if prefer_safe else order[::-1])]
    index = next(filter(os.path.isfile, paths), None)
    if index is None:
        raise ValueError(
            f"Can't find a checkpoint index: {os.fspath(folder)} holds neither {' nor '.join(sorted(order))}."
        )
    files, metadata = get_checkpoint_shard_files(folder, index)
    expected, listed = set(model.state_dict()), set(metadata["all_checkpoint_keys"])
    missing, unexpected = sorted(expected - listed), sorted(listed - expected)
    if strict and (missing or unexpected):
        lines = [f"Error(s) in loading state_dict for {type(model).__name__}"]
        lines += [f"Missing key(s): {', '.join(map(repr, missing))}."] if missing else []
        lines += [f"Unexpected key(s): {', '.join(map(repr, unexpected))}."] if unexpected else []
        raise RuntimeError("\n\t".join(lines))
    for file in files:
        shard = WeightFile(committed_path(folder, os.path.relpath(file, folder)))
        model.load_state_dict(dict(shard.items()), strict=False)
    return torch.nn.modules.module._IncompatibleKeys(missing, unexpected)


def check_index(index: Mapping[str, Any], files: list[WeightFile]) -> None:
    """Raises an error unless every tensor that an index lists is in the shard that it names."""
    by_name = {os.path.basename(file.path): set(file) for file in files}
    for key, shard in index["weight_map"].items():
        if key not in by_name.get(os.path.basename(shard), ()):
            raise CheckpointError(
                f"The index says that the tensor {key!r} is in {shard}, but that file does not hold it. The shards"
                " belong to another checkpoint, or are incomplete: download or save it again."
            )
