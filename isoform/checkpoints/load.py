"""Filling a model with the weights of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .._modeling_init import DeferredInit, init_weights
from ..errors import CheckpointError
from ..utils import logging
from .keys import KeyMatch, match_keys, owner_of

logger = logging.get_logger(__name__)


class ShapeMismatchError(CheckpointError, RuntimeError):
    """Weights of a checkpoint have other shapes than the model."""


class Loader:
    """Loads weights from one or several sources into a model whose parameters may still be uninitialised.

    Args:
        model: The model, on any device; parameters tell the dtype and the device that the weights get.
        sources: Mappings of names to tensors. What the tensors hold may become part of the model, without a copy.
        deferred: What the constructor wanted to do to parameters, done now for those that the checkpoint does not fill.
        ignore_mismatched_sizes: Keeps newly initialised weights where the checkpoint's have another shape.
        devices: Where each parameter goes (name in the model -> device); None is where it is. "disk" loads nothing.
        copy: Never let the model share memory with the sources.
    """

    def __init__(
        self,
        model: Any,
        sources: list[Mapping[str, Tensor]],
        deferred: DeferredInit | None = None,
        ignore_mismatched_sizes: bool = False,
        devices: Mapping[str, Any] | None = None,
        copy: bool = False,
    ) -> None:
        self.model, self.sources, self.deferred, self.copy = model, sources, deferred, copy
        self.devices = devices or {}
        self.state = {
            name: value for name, value in model.state_dict(keep_vars=True).items() if isinstance(value, Tensor)
        }
        self.match: KeyMatch = match_keys(model, dict.fromkeys(key for source in sources for key in source))
        self.mismatched = self._find_mismatches()
        if self.mismatched and not ignore_mismatched_sizes:
            raise ShapeMismatchError(self._describe_mismatches())
        self._refused = {self.match.targets.pop(key) for key, _, _ in self.mismatched}
        self.absent = self._refused.union(self.match.absent)  # names in the model that the checkpoint does not fill
        self._names_of = self._group_names()

    def run(self) -> dict[str, list[Any]]:
        """Initialises what the checkpoint lacks, loads the rest, marks all as initialised.

        Returns:
            `missing_keys`, `unexpected_keys`, `mismatched_keys` (name, shape in the file, shape in the model) and
            `error_msgs`, which is empty: errors are raised.
        """
        self._initialize_absent()
        with torch.no_grad():
            self._load()
        for module in self.model.modules():
            module.__dict__["_is_hf_initialized"] = True
        return {
            "missing_keys": self.match.missing,
            "unexpected_keys": self.match.unexpected,
            "mismatched_keys": [(key, found, expected) for key, found, expected in self.mismatched],
            "error_msgs": [],
        }

    # Shapes

    def _find_mismatches(self) -> list[tuple[str, torch.Size, torch.Size]]:
        found = []
        for source in self.sources:
            for key in source:
                target = self.match.targets.get(key)
                if target is None:
                    continue
                shape, expected = source[key].shape, self.state[target].shape
                # Scalars are stored with or without a dimension.
                if shape != expected and not (shape.numel() == expected.numel() == 1):
                    found.append((key, shape, expected))
        return found

    def _describe_mismatches(self) -> str:
        lines = [
            f"size mismatch for {key}: {tuple(found)} in the checkpoint, the model expects {tuple(expected)}."
            for key, found, expected in self.mismatched
        ]
        return (
            f"Error(s) in loading state_dict for {type(self.model).__name__}:\n\t" + "\n\t".join(lines) + "\n\t"
            "The configuration does not fit the checkpoint. Correct it, or pass `ignore_mismatched_sizes=True` to"
            " `from_pretrained` to start these weights anew."
        )

    # Initialising

    def _initialize_absent(self) -> None:
        """Gives initial values to parameters that are not in the checkpoint, and to nothing that is."""
        if not self.absent:
            return
        tensors = [self.state[name] for name in sorted(self.absent)]
        parameters = [tensor for tensor in tensors if isinstance(tensor, nn.Parameter)]
        if self.deferred is not None:
            self.deferred.replay(parameters)
        incomplete = {""}
        for name in self.absent:
            parts = name.split(".")[:-1]
            incomplete.update(".".join(parts[: end + 1]) for end in range(len(parts)))
        for name, module in self.model.named_modules():
            module.__dict__["_is_hf_initialized"] = name not in incomplete
        init_weights(self.model)

    # Loading

    def _group_names(self) -> dict[int, list[str]]:
        groups: dict[int, list[str]] = {}
        for name, tensor in self.state.items():
            groups.setdefault(id(tensor), []).append(name)
        return groups

    def _load(self) -> None:
        used: set[int] = set()  # addresses of weights that a parameter has taken over
        for source in self.sources:
            for key in source:
                name = self.match.targets.get(key)
                if name is not None and self.devices.get(name) != "disk":
                    self._assign(name, self._prepared(name, source[key], used))

    def _prepared(self, name: str, tensor: Tensor, used: set[int]) -> Tensor:
        """The weight as the model needs it: dtype, device, shape, and memory of its own."""
        old = self.state[name]
        device = self.devices.get(name, old.device)
        tensor = tensor.detach()
        ready = tensor.to(device=device, dtype=old.dtype).reshape(old.shape).contiguous()
        if ready.device.type == "meta":
            return ready
        address = ready.data_ptr()
        taken = address in used and address != old.data_ptr()  # by a parameter that the model does not share
        if (
            self.copy or taken or address % ready.element_size()
        ) and ready.untyped_storage().data_ptr() == tensor.untyped_storage().data_ptr():
            ready = ready.clone()
        used.add(ready.data_ptr())
        return ready

    def _assign(self, name: str, tensor: Tensor) -> None:
        """Puts a weight where the model has it, under all its names; a parameter stays the same object if it can."""
        old = self.state[name]
        if isinstance(old, nn.Parameter) and torch._has_compatible_shallow_copy_type(old, tensor):
            old.data = tensor
            return
        new: Tensor = nn.Parameter(tensor, requires_grad=old.requires_grad) if isinstance(old, nn.Parameter) else tensor
        for shared in self._names_of[id(old)]:
            module, leaf = owner_of(self.model, shared)
            (module._parameters if isinstance(old, nn.Parameter) else module._buffers)[leaf] = new  # type: ignore[assignment]
            self.state[shared] = new
        self._names_of[id(new)] = self._names_of.pop(id(old))


def report(model: Any, info: dict[str, list[Any]], source: str) -> None:
    """Tells the user, once, what a checkpoint lacked, had too much, or had in another shape."""
    name = type(model).__name__
    if info["unexpected_keys"]:
        architectures = getattr(model.config, "architectures", None) or ()
        log = logger.warning if name in architectures else logger.info
        log(
            f"{name} does not use these weights of {source}: {_listed(info['unexpected_keys'])}. This is expected if"
            " the checkpoint is of a model for another task, and a sign of a problem if it is of exactly this model."
        )
    if info["missing_keys"]:
        logger.warning(
            f"{name} has weights that are not in {source} and are newly initialised: {_listed(info['missing_keys'])}."
            " You should train the model before you use it for predictions."
        )
    if info["mismatched_keys"]:
        lines = "\n".join(
            f"- {key}: {tuple(found)} in the checkpoint, {tuple(expected)} in the model"
            for key, found, expected in info["mismatched_keys"]
        )
        logger.warning(
            f"{name} has weights whose shapes differ from those in {source}; they are newly initialised:\n{lines}\n"
            "You should train the model before you use it for predictions."
        )


def _listed(keys: list[str], most: int = 40) -> str:
    shown = ", ".join(sorted(keys)[:most])
    return shown if len(keys) <= most else f"{shown} and {len(keys) - most} more"
