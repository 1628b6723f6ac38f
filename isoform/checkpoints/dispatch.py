"""Splitting a model over devices, memory and disk with `accelerate`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from typing import Any

import torch

from ..utils import logging
from .read import WeightFile

logger = logging.get_logger(__name__)

STRATEGIES = ("auto", "balanced", "balanced_low_0", "sequential")


def normalized_device_map(device_map: Any) -> str | dict[str, Any] | None:
    """A device map as a strategy's name or as a dictionary from module names to devices.

    Raises:
        ValueError: It is neither a strategy nor a device.
    """
    if device_map is None:
        return None
    if isinstance(device_map, dict):
        for place in device_map.values():
            if place != "disk":
                _device(place)
        return device_map
    if isinstance(device_map, str) and device_map in STRATEGIES:
        return device_map
    if isinstance(device_map, int) and device_map < 0:
        raise ValueError(f"device_map={device_map}: a device number must not be negative. Use 'cpu' for the CPU.")
    device = _device(device_map)
    return {"": device_map if isinstance(device_map, int) else device}


def _device(place: Any) -> torch.device:
    """The device that a name or number means, if this machine has it."""
    try:
        device = torch.device(place)
    except (RuntimeError, TypeError) as error:
        strategies = ", ".join(repr(name) for name in STRATEGIES)
        raise ValueError(
            f"device_map={place!r} names no device: expected one such as 'cpu' or 'cuda:0', its number, a strategy"
            f" ({strategies}), or a dictionary from module names to devices."
        ) from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device_map={place!r} needs a CUDA device, and PyTorch finds none here. Use 'cpu' or 'auto', or install a"
            " PyTorch build and a driver that see the GPU."
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device_map={place!r}: this machine has {torch.cuda.device_count()} CUDA device(s), from 0.")
    return device


def require_accelerate(feature: str) -> Any:
    """The package `accelerate`, or an error that says how to get it."""
    try:
        import accelerate
    except ImportError as error:
        raise ImportError(f"{feature} needs accelerate: pip install 'accelerate>=0.21'") from error
    return accelerate


def infer_device_map(
    model: Any, device_map: str | dict[str, Any], max_memory: Any, dtype: torch.dtype
) -> dict[str, Any]:
    """The device of each module. A strategy distributes the modules by size; a given map must be complete."""
    if set(device_map) == {""} and isinstance(device_map, dict):
        return device_map
    require_accelerate("device_map")
    from accelerate.utils import check_device_map, get_balanced_memory, infer_auto_device_map

    if isinstance(device_map, dict):
        check_device_map(model, device_map)
        return device_map
    special = {name: torch.float32 for name, p in model.named_parameters() if p.dtype is torch.float32 is not dtype}
    common = {"dtype": dtype, "no_split_module_classes": no_split_classes(model), "special_dtypes": special}
    if device_map != "sequential":
        low = device_map == "balanced_low_0"
        max_memory = get_balanced_memory(model, max_memory=max_memory, low_zero=low, **common)
    model.tie_weights()
    return infer_auto_device_map(model, max_memory=max_memory, **common)


def no_split_classes(model: Any) -> list[str]:
    """Names of the classes of layers that must not be split, of the model and of the models within it."""
    found = {name for module in model.modules() for name in getattr(module, "_no_split_modules", None) or ()}
    return sorted(found)


def devices_of(names: Iterable[str], device_map: Mapping[str, Any]) -> dict[str, Any]:
    """The device of each parameter: that of the longest module name in the map that it lies under.

    Raises:
        ValueError: The map says nothing on a parameter.
    """
    devices = {}
    for name in names:
        place = name
        while place and place not in device_map:
            place = place.rpartition(".")[0]
        if place not in device_map:
            raise ValueError(f"device_map has no device for {name!r}: add it, or a module that contains it.")
        devices[name] = device_map[place]
    return devices


def offload_index(files: list[WeightFile], loader: Any, folder: str | None) -> dict[str, dict[str, Any]] | None:
    """Where accelerate finds the weights that stay on the disk; None if there are none.

    Safetensors are read where they are. Weights of `.bin` files, and newly initialised ones, are written to `folder`,
    which must then be given.
    """
    index: dict[str, dict[str, Any]] = {}
    for file in files:
        for key in file:
            name = loader.match.targets.get(key)
            if name is None or loader.devices.get(name) != "disk":
                continue
            dtype = loader.state[name].dtype
            if file.is_safetensors:
                place = {"safetensors_file": os.path.abspath(file.path), "weight_name": key}
                index[name] = {**place, "dtype": str(dtype).removeprefix("torch.")}
            else:
                index = _write_offloaded(file[key].to(dtype), name, _folder(folder), index)
    for name in loader.absent:
        if loader.devices.get(name) == "disk" and name not in index:
            index = _write_offloaded(loader.state[name].detach(), name, _folder(folder), index)
    return index or None


def _folder(folder: str | None) -> str:
    if folder is None:
        raise ValueError(
            "The device_map puts weights on the disk, and the checkpoint is no safetensors file that could stay in its"
            " place: pass `offload_folder`, or a checkpoint in safetensors."
        )
    os.makedirs(folder, exist_ok=True)
    return folder


def _write_offloaded(tensor: torch.Tensor, name: str, folder: str, index: dict[str, Any]) -> dict[str, Any]:
    from accelerate.utils import offload_weight

    return offload_weight(tensor, name, folder, index)


def dispatch(model: Any, device_map: dict[str, Any], index: dict[str, Any] | None, offload: dict[str, Any]) -> None:
    """Adds the hooks that move inputs, and offloaded weights, to where a module computes."""
    if set(device_map) == {""} and device_map[""] != "disk":
        # The model is whole on one device: it needs no hooks, only its computed buffers are still to be moved.
        model.to(device_map[""])
        model.hf_device_map = dict(device_map)
        return
    require_accelerate("device_map")
    from accelerate import dispatch_model

    options = {"offload_index": index, "skip_keys": model._skip_keys_device_placement}
    if index is not None:
        _add_tied_names(model, index, offload["folder"])
        options["offload_dir"] = offload["folder"]
    dispatch_model(model, device_map=device_map, offload_buffers=offload["buffers"], **options)


def _add_tied_names(model: Any, index: dict[str, Any], folder: str | None) -> None:
    """Lists an offloaded weight under each of its names: accelerate looks a tied one up by the module that uses it."""
    names = {id(p): name for name, p in model.named_parameters(remove_duplicate=False) if name in index}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if name in index or id(parameter) not in names:
            continue
        listed = names[id(parameter)]
        index[name] = index[listed]
        if "safetensors_file" not in index[name]:  # accelerate derives the file's name from the weight's
            shutil.copyfile(f"{folder}/{listed}.dat", f"{folder}/{name}.dat")
