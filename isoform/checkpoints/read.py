"""Opening weight files: safetensors mapped into memory, and `.bin` files without executing anything."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ..errors import CheckpointError

FORMATS_OF_TORCH = (None, "pt", "mlx")
"""What the metadata of a safetensors file may say about who wrote it: these store weights as PyTorch has them."""


class WeightFile(Mapping[str, Tensor]):
    """The tensors of a file by name, read when asked for.

    Safetensors are private mappings of the file: nothing is copied until it is written to, a write changes the memory
    of this process only, and the file may be replaced or deleted (not overwritten in place) while tensors are in use.

    Attributes:
        path: The file.
        is_safetensors: Whether it is a safetensors file.

    Raises:
        CheckpointError: The file is missing, truncated, corrupt, of another framework, or would execute code.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.is_safetensors = self.path.endswith(".safetensors")
        if not os.path.isfile(self.path):
            raise CheckpointError(f"There is no weight file {self.path}. Check the path, or download it again.")
        if self.is_safetensors:
            self._file = _open_safetensors(self.path)
            self._names = list(self._file.keys())
        else:
            self._tensors = _load_bin(self.path)
            self._names = list(self._tensors)

    def __getitem__(self, name: str) -> Tensor:
        if not self.is_safetensors:
            return self._tensors[name]
        try:
            return self._file.get_tensor(name)
        except Exception as error:
            raise CheckpointError(f"{self.path}: cannot read the tensor {name!r}: {error}") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def dtypes(self) -> Iterator[torch.dtype]:
        """The dtypes of the tensors, in the order of the file."""
        for name in self._names:
            yield self[name].dtype


def _open_safetensors(path: str) -> Any:
    from safetensors import SafetensorError, safe_open

    advice = "The file is truncated or corrupt: download or save it again."
    if os.path.getsize(path) == 0:
        raise CheckpointError(f"{path}: the file is empty. Download or save it again.")
    try:
        file = safe_open(path, framework="pt", device="cpu")
    except (SafetensorError, ValueError, OSError, OverflowError) as error:
        raise CheckpointError(f"{path}: not a valid safetensors file ({error}). {advice}") from error
    kind = (file.metadata() or {}).get("format")
    if kind not in FORMATS_OF_TORCH:
        raise CheckpointError(
            f"{path}: its metadata says format {kind!r}; expected 'pt'. Weights of other frameworks store matrices"
            " differently: convert the checkpoint to PyTorch first."
        )
    return file


def _load_bin(path: str) -> dict[str, Tensor]:
    if os.path.getsize(path) == 0:
        raise CheckpointError(f"{path}: the file is empty. Download or save it again.")
    try:
        # Files from before torch 1.6 are not archives and cannot be mapped.
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path) or None)
    except Exception as error:
        raise CheckpointError(f"{path}: {_why_not_bin(path, error)}") from error
    tensors = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else None
    if not isinstance(tensors, Mapping) or not all(isinstance(name, str) for name in tensors):
        raise CheckpointError(f"{path}: expected a dictionary of named tensors; found {type(loaded).__name__}.")
    return {name: tensor for name, tensor in tensors.items() if isinstance(tensor, Tensor)}


def _why_not_bin(path: str, error: Exception) -> str:
    with open(path, "rb") as stream:
        if stream.read(7) == b"version":
            return "this is a Git LFS pointer, not the weights. Run `git lfs install` and `git lfs pull` there."
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    if "weights_only" in str(error).lower() or "unsupported" in str(error).lower():
        return (
            f"it holds more than tensors, which could execute code when it is loaded, so it was not loaded ({first})."
            " Ask its author for safetensors."
        )
    return f"the file is truncated or corrupt ({first}). Download or save it again."


def load_state_dict(checkpoint_file: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors of one `.safetensors` or `.bin` file, on the CPU, mapped from the file where possible.

    Raises:
        CheckpointError: The file is missing, broken, or would execute code.
    """
    return dict(WeightFile(checkpoint_file).items())
