"""One set of questions and simple operations for the arrays of NumPy, PyTorch, TensorFlow and JAX.

No framework is loaded here: a value can only be a tensor of one that is loaded already.
"""

from __future__ import annotations

import sys
from collections import UserDict
from collections.abc import Callable, Sequence
from typing import Any

__all__ = [
    "expand_dims",
    "is_jax_tensor",
    "is_numpy_array",
    "is_tensor",
    "is_tf_symbolic_tensor",
    "is_tf_tensor",
    "is_torch_device",
    "is_torch_dtype",
    "is_torch_fx_proxy",
    "is_torch_tensor",
    "reshape",
    "squeeze",
    "tensor_functions",
    "tensor_size",
    "to_numpy",
    "to_py_obj",
    "transpose",
]


def _is_instance(x: Any, module: str, name: str) -> bool:
    """Whether `x` is a `module.name`, without loading the module."""
    loaded = sys.modules.get(module)
    kind = getattr(loaded, name, None) if loaded is not None else None
    return isinstance(kind, type) and isinstance(x, kind)


def is_numpy_array(x: Any) -> bool:
    """Whether `x` is a NumPy array."""
    return _is_instance(x, "numpy", "ndarray")


def is_torch_tensor(x: Any) -> bool:
    """Whether `x` is a PyTorch tensor."""
    return _is_instance(x, "torch", "Tensor")


def is_torch_device(x: Any) -> bool:
    """Whether `x` is a `torch.device`."""
    return _is_instance(x, "torch", "device")


def is_torch_dtype(x: Any) -> bool:
    """Whether `x` is a `torch.dtype`, or the name of one (`"float16"`)."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    return isinstance(getattr(torch, x, None) if isinstance(x, str) else x, torch.dtype)


def is_tf_tensor(x: Any) -> bool:
    """Whether `x` is a TensorFlow tensor."""
    return _is_instance(x, "tensorflow", "Tensor")


def is_tf_symbolic_tensor(x: Any) -> bool:
    """Whether `x` is a TensorFlow tensor without a value: a part of a graph."""
    tf = sys.modules.get("tensorflow")
    if tf is None:
        return False
    return tf.is_symbolic_tensor(x) if hasattr(tf, "is_symbolic_tensor") else type(x) is tf.Tensor


def is_jax_tensor(x: Any) -> bool:
    """Whether `x` is a JAX array."""
    return _is_instance(x, "jax", "Array")


def is_torch_fx_proxy(x: Any) -> bool:
    """Whether `x` stands for a value of a graph that `torch.fx` is tracing."""
    return _is_instance(x, "torch.fx", "Proxy")


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor or an array of any framework, or stands for one while a graph is traced."""
    return is_torch_tensor(x) or is_numpy_array(x) or is_tf_tensor(x) or is_jax_tensor(x) or is_torch_fx_proxy(x)


def to_py_obj(obj: Any) -> Any:
    """Converts tensors, arrays and NumPy numbers, also inside of lists and dictionaries, to plain Python values."""
    if isinstance(obj, (int, float, str)) and not _is_instance(obj, "numpy", "number"):
        return obj
    if isinstance(obj, (dict, UserDict)):
        return {key: to_py_obj(value) for key, value in obj.items()}
    if isinstance(obj, (list, tuple)):
        return [to_py_obj(value) for value in obj]
    if is_tf_tensor(obj):
        return obj.numpy().tolist()
    if is_jax_tensor(obj):
        return to_numpy(obj).tolist()
    if is_torch_tensor(obj):
        return obj.detach().cpu().tolist()
    if is_numpy_array(obj) or _is_instance(obj, "numpy", "number"):
        return obj.tolist()
    return obj


def to_numpy(obj: Any) -> Any:
    """Converts a tensor of any framework, or a list of numbers, to a NumPy array; dictionaries value by value."""
    import numpy as np

    if isinstance(obj, (dict, UserDict)):
        return {key: to_numpy(value) for key, value in obj.items()}
    if isinstance(obj, (list, tuple)):
        return np.array(obj)
    if is_torch_tensor(obj):
        return obj.detach().cpu().numpy()
    if is_tf_tensor(obj):
        return obj.numpy()
    if is_jax_tensor(obj):
        return np.asarray(obj)
    return obj


def _namespace(array: Any, operation: str) -> Any:
    """The module with the NumPy functions of the framework of `array` (not for PyTorch, which has methods)."""
    if is_numpy_array(array):
        return sys.modules["numpy"]
    if is_jax_tensor(array):
        return sys.modules["jax"].numpy
    raise ValueError(f"{operation}: expected a NumPy, PyTorch, TensorFlow or JAX array, found {type(array).__name__}")


def transpose(array: Any, axes: Sequence[int] | None = None) -> Any:
    """`numpy.transpose` for any framework: reverses the axes, or puts them in the given order."""
    if is_torch_tensor(array):
        return array.T if axes is None else array.permute(*axes)
    if is_tf_tensor(array):
        return sys.modules["tensorflow"].transpose(array, perm=axes)
    return _namespace(array, "transpose").transpose(array, axes=axes)


def reshape(array: Any, newshape: int | Sequence[int]) -> Any:
    """`numpy.reshape` for any framework."""
    if is_torch_tensor(array):
        return array.reshape(newshape)
    if is_tf_tensor(array):
        return sys.modules["tensorflow"].reshape(array, newshape)
    return _namespace(array, "reshape").reshape(array, newshape)


def squeeze(array: Any, axis: int | Sequence[int] | None = None) -> Any:
    """`numpy.squeeze` for any framework: drops the axes of length 1, or the given ones."""
    if is_torch_tensor(array):
        return array.squeeze() if axis is None else array.squeeze(dim=axis)
    if is_tf_tensor(array):
        return sys.modules["tensorflow"].squeeze(array, axis=axis)
    return _namespace(array, "squeeze").squeeze(array, axis=axis)


def expand_dims(array: Any, axis: int) -> Any:
    """`numpy.expand_dims` for any framework: inserts an axis of length 1."""
    if is_torch_tensor(array):
        return array.unsqueeze(dim=axis)
    if is_tf_tensor(array):
        return sys.modules["tensorflow"].expand_dims(array, axis=axis)
    return _namespace(array, "expand_dims").expand_dims(array, axis)


def tensor_size(array: Any) -> int:
    """The number of elements of an array of any framework."""
    if is_torch_tensor(array):
        return array.numel()
    if is_tf_tensor(array):
        return sys.modules["tensorflow"].size(array)
    return _namespace(array, "tensor_size").size(array)


def tensor_functions(kind: str) -> tuple[Callable[[Any], Any], Callable[[Any], bool]]:
    """How to make a tensor from nested lists or arrays, and how to recognise one.

    Args:
        kind: `"pt"`, `"np"`, `"tf"` or `"jax"`.

    Raises:
        ImportError: The framework is not installed.
    """
    if kind == "np":
        return _numpy_array, is_numpy_array
    try:
        if kind == "pt":
            import torch  # noqa: F401 - so that its absence is found here

            return _torch_tensor, is_torch_tensor
        if kind == "tf":
            import tensorflow as tf

            return tf.constant, tf.is_tensor
        import jax

        return jax.numpy.array, is_jax_tensor
    except ImportError as error:
        name = {"pt": "PyTorch", "tf": "TensorFlow"}.get(kind, "JAX")
        raise ImportError(
            f"Unable to convert output to {name} tensors format, {name} is not installed. "
            'Choose another `return_tensors`, such as "np".'
        ) from error


def _numpy_array(value: Any) -> Any:
    """An array; rows of different lengths become an array of arrays, as documented for `return_tensors="np"`."""
    import numpy as np

    try:
        return np.array(value)
    except ValueError:
        rows = np.empty(len(value), dtype=object)
        rows[:] = [np.array(row) for row in value]
        return rows


def _torch_tensor(value: Any) -> Any:
    import numpy as np
    import torch

    if isinstance(value, np.ndarray) and value.dtype != object:
        return torch.from_numpy(value) if value.flags.writeable else torch.from_numpy(value.copy())
    first = value
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    # Nested lists of integers convert several times faster through NumPy, which gives the same int64.
    if type(first) is int:
        array = np.array(value)
        if array.dtype == np.int64:
            return torch.from_numpy(array)
    elif isinstance(first, np.ndarray):
        return torch.from_numpy(np.array(value))
    elif isinstance(first, torch.Tensor) and isinstance(value, (list, tuple)):
        return torch.stack([x if isinstance(x, torch.Tensor) else _torch_tensor(x) for x in value])
    return torch.tensor(value)
