"""Decorators that assemble docstrings; the models of extensions written for version 4.36 use them."""

from __future__ import annotations

import functools
import inspect
import textwrap
import types
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = [
    "add_code_sample_docstrings",
    "add_end_docstrings",
    "add_start_docstrings",
    "add_start_docstrings_to_model_forward",
    "copy_func",
    "replace_return_docstrings",
]

F = TypeVar("F", bound=Callable[..., Any])


def add_start_docstrings(*docstr: str) -> Callable[[F], F]:
    """Puts text before the docstring of a function or class."""

    def decorator(target: F) -> F:
        target.__doc__ = "".join(docstr) + (target.__doc__ or "")
        return target

    return decorator


def add_end_docstrings(*docstr: str) -> Callable[[F], F]:
    """Puts text after the docstring of a function or class."""

    def decorator(target: F) -> F:
        target.__doc__ = (target.__doc__ or "") + "".join(docstr)
        return target

    return decorator


def add_start_docstrings_to_model_forward(*docstr: str) -> Callable[[F], F]:
    """Puts text before the docstring of a model's `forward`, after a line that names the class."""

    def decorator(forward: F) -> F:
        model = _class_of(forward)
        start = f"    The forward method of [`{model}`]. Call the model itself, so that hooks run.\n\n"
        forward.__doc__ = start + "".join(docstr) + (forward.__doc__ or "")
        return forward

    return decorator


def _class_of(method: Callable[..., Any]) -> str:
    """The name of the class whose body defines a method."""
    return method.__qualname__.rpartition(".")[0].rpartition(".")[2]


def _name(thing: Any) -> str:
    return thing if isinstance(thing, str) else thing.__name__


def replace_return_docstrings(output_type: Any = None, config_class: Any = None) -> Callable[[F], F]:
    """Replaces the line `Returns:` of a docstring by a description of the output class and its fields."""

    def decorator(function: F) -> F:
        lines = (function.__doc__ or "").split("\n")
        for number, line in enumerate(lines):
            if line.strip() in ("Return:", "Returns:"):
                indent = line[: len(line) - len(line.lstrip())]
                lines[number] = textwrap.indent(_returns(output_type, config_class), indent)
                function.__doc__ = "\n".join(lines)
                return function
        raise ValueError(f"the docstring of {function.__qualname__} has no line 'Returns:' to replace")

    return decorator


def _returns(output_type: Any, config_class: Any) -> str:
    """The paragraph on what a model returns."""
    configuration = f" for a model with [`{_name(config_class)}`]" if config_class is not None else ""
    text = f"Returns:\n    [`{_name(output_type)}`], or a tuple with `return_dict=False`{configuration}."
    documentation = inspect.getdoc(output_type) if inspect.isclass(output_type) else None
    return f"{text}\n\n{textwrap.indent(documentation, '    ')}" if documentation else text


_SAMPLE = """
    Example:

    ```python
    >>> from isoform import {processor}, {model}

    >>> processor = {processor}.from_pretrained("{checkpoint}")
    >>> model = {model}.from_pretrained("{checkpoint}")
    >>> outputs = model(**processor({value}, return_tensors="pt"))
    ```
"""


def add_code_sample_docstrings(
    *docstr: str,
    processor_class: str | None = None,
    checkpoint: str | None = None,
    output_type: Any = None,
    config_class: Any = None,
    model_cls: str | None = None,
    modality: str | None = None,
    real_checkpoint: str | None = None,
    **unused: Any,
) -> Callable[[F], F]:
    """Puts the paragraph on the output and an example of use after the docstring of a model's `forward`."""
    value = {"audio": "waveform", "vision": "image"}.get(modality or "", '"Hello, my dog is cute"')

    def decorator(forward: F) -> F:
        sample = _SAMPLE.format(
            model=model_cls or _class_of(forward),
            processor=processor_class or "AutoTokenizer",
            checkpoint=real_checkpoint or checkpoint,
            value=value,
        )
        returns = f"\n{textwrap.indent(_returns(output_type, config_class), '    ')}\n" if output_type else ""
        forward.__doc__ = (forward.__doc__ or "") + "".join(docstr) + returns + sample
        return forward

    return decorator


def copy_func(f: types.FunctionType) -> types.FunctionType:
    """An independent copy of a function, so that a method taken from a base class can get a docstring of its own."""
    copy = types.FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, f.__closure__)
    functools.update_wrapper(copy, f)
    copy.__kwdefaults__ = f.__kwdefaults__
    return copy
