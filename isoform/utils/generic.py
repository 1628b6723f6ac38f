"""Small helpers without a better place: enumerations, context managers, and questions about model classes."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from enum import Enum
from functools import cached_property
from typing import Any, NoReturn

from .outputs import ModelOutput, register_pytrees
from .tensors import (
    expand_dims,
    is_jax_tensor,
    is_numpy_array,
    is_tensor,
    is_tf_symbolic_tensor,
    is_tf_tensor,
    is_torch_device,
    is_torch_dtype,
    is_torch_tensor,
    reshape,
    squeeze,
    tensor_size,
    to_numpy,
    to_py_obj,
    transpose,
)

__all__ = [
    "ContextManagers",
    "ExplicitEnum",
    "ModelOutput",
    "PaddingStrategy",
    "TensorType",
    "add_model_info_to_auto_map",
    "cached_property",
    "can_return_loss",
    "expand_dims",
    "find_labels",
    "flatten_dict",
    "infer_framework",
    "is_jax_tensor",
    "is_numpy_array",
    "is_tensor",
    "is_tf_symbolic_tensor",
    "is_tf_tensor",
    "is_torch_device",
    "is_torch_dtype",
    "is_torch_tensor",
    "register_pytrees",
    "reshape",
    "squeeze",
    "strtobool",
    "tensor_size",
    "to_numpy",
    "to_py_obj",
    "transpose",
    "working_or_temp_dir",
]


class ExplicitEnum(str, Enum):
    """An enumeration of strings whose error lists the values that it knows."""

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        known = [member.value for member in cls]
        raise ValueError(f"{value} is not a valid {cls.__name__}: expected one of {known}")


class PaddingStrategy(ExplicitEnum):
    """Values of the argument `padding` of tokenizers."""

    LONGEST = "longest"
    MAX_LENGTH = "max_length"
    DO_NOT_PAD = "do_not_pad"


class TensorType(ExplicitEnum):
    """Values of the argument `return_tensors` of tokenizers and processors."""

    PYTORCH = "pt"
    TENSORFLOW = "tf"
    NUMPY = "np"
    JAX = "jax"


class ContextManagers:
    """Enters several context managers in order, and leaves them in reverse."""

    def __init__(self, context_managers: Iterable[AbstractContextManager[Any]]) -> None:
        self.context_managers = context_managers
        self.stack = ExitStack()

    def __enter__(self) -> None:
        for manager in self.context_managers:
            self.stack.enter_context(manager)

    def __exit__(self, *exc_info: Any) -> None:
        self.stack.__exit__(*exc_info)


def strtobool(val: str) -> int:
    """1 for `y yes t true on 1`, 0 for `n no f false off 0` (any case); `ValueError` for anything else."""
    lowered = val.lower()
    if lowered in {"y", "yes", "t", "true", "on", "1"}:
        return 1
    if lowered in {"n", "no", "f", "false", "off", "0"}:
        return 0
    raise ValueError(f"expected a truth value such as 'yes' or 'no', found {val!r}")


def flatten_dict(d: MutableMapping[str, Any], parent_key: str = "", delimiter: str = ".") -> dict[str, Any]:
    """Flattens nested dictionaries: `{"a": {"b": 1}}` becomes `{"a.b": 1}`. Empty ones are values."""

    def items(mapping: MutableMapping[str, Any], parent: str) -> Iterator[tuple[str, Any]]:
        for key, value in mapping.items():
            name = f"{parent}{delimiter}{key}" if parent else key
            if value and isinstance(value, MutableMapping):
                yield from items(value, name)
            else:
                yield name, value

    return dict(items(d, parent_key))


@contextmanager
def working_or_temp_dir(working_dir: str, use_temp_dir: bool = False) -> Iterator[str]:
    """Yields `working_dir`, or a temporary folder that is removed afterwards."""
    if not use_temp_dir:
        yield working_dir
        return
    with tempfile.TemporaryDirectory() as folder:
        yield folder


def infer_framework(model_class: type) -> str:
    """`"pt"`, `"tf"` or `"flax"`: the framework of a model class, judged by its base classes."""
    for base in inspect.getmro(model_class):
        module, name = base.__module__, base.__name__
        if module.startswith(("tensorflow", "keras")) or name == "TFPreTrainedModel":
            return "tf"
        if module.startswith("torch") or name == "PreTrainedModel":
            return "pt"
        if module.startswith(("flax", "jax")) or name == "FlaxPreTrainedModel":
            return "flax"
    raise TypeError(f"{model_class} is not a model of PyTorch, TensorFlow or Flax")


def _call_parameters(model_class: type) -> dict[str, inspect.Parameter]:
    """The parameters of the method that a model of this class is called through."""
    method = {"tf": "call", "pt": "forward", "flax": "__call__"}[infer_framework(model_class)]
    return dict(inspect.signature(getattr(model_class, method)).parameters)


def can_return_loss(model_class: type) -> bool:
    """Whether a model of this class computes its loss by default (`return_loss=True` in its signature)."""
    parameter = _call_parameters(model_class).get("return_loss")
    return parameter is not None and parameter.default is True


def find_labels(model_class: type) -> list[str]:
    """The names of the arguments of a model class that are labels."""
    names = _call_parameters(model_class)
    if "QuestionAnswering" in model_class.__name__:
        return [name for name in names if "label" in name or name in ("start_positions", "end_positions")]
    return [name for name in names if "label" in name]


def add_model_info_to_auto_map(auto_map: dict[str, Any], repo_id: str) -> dict[str, Any]:
    """Prefixes the class references of an `auto_map` with the repository that they come from, in place."""

    def qualify(reference: str | None) -> str | None:
        return f"{repo_id}--{reference}" if reference is not None and "--" not in reference else reference

    for key, value in auto_map.items():
        auto_map[key] = [qualify(part) for part in value] if isinstance(value, (tuple, list)) else qualify(value)
    return auto_map
