"""`ModelOutput`: what a model returns, usable as an object, a dictionary and a tuple."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from .tensors import is_tensor

__all__ = ["ModelOutput", "register_pytrees"]

_PENDING: list[type[ModelOutput]] = []  # made before torch was loaded, so not yet known to its pytrees


class ModelOutput(OrderedDict):
    """Base class of the outputs of models.

    A subclass is a `@dataclass` whose fields default to `None` (the first may be required). Its instances are also
    dictionaries and tuples of those fields that are not `None`: `output.logits`, `output["logits"]`, `output[0]` and
    `output[:2]` all work, as do `output.keys()`, `len(output)` and `output.to_tuple()`. Nothing can be removed.

    An instance may also be built from its first argument alone: a dictionary, or an iterable of (name, value) pairs.

    Instances are nodes of torch's pytrees, and can be pickled, compiled and exported.
    """

    # Written so that TorchDynamo can trace it: base-class methods by their full name, and no state on the class.

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _check_defaults(cls)
        _PENDING.append(cls)
        if "torch" in sys.modules:
            register_pytrees()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A dataclass brings its own constructor, so only other subclasses come here.
        if type(self) is not ModelOutput and not dataclasses.is_dataclass(self):
            raise TypeError(f"{type(self).__module__}.{type(self).__name__} must be decorated with @dataclass")
        super().__init__(*args, **kwargs)

    def __post_init__(self) -> None:
        """Fills the dictionary from the fields. Called by the dataclass."""
        values = self.__dict__
        for name in self.__dataclass_fields__:  # type: ignore[attr-defined]
            value = values.get(name)
            if value is not None:
                OrderedDict.__setitem__(self, name, value)
        if len(self) <= 1 and not is_tensor(next(iter(self.values()), None)):
            self._unpack_first_field()

    def _unpack_first_field(self) -> None:
        """Where the first field alone was given and holds a dictionary or (name, value) pairs: sets the fields."""
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        if not names:
            raise ValueError(f"{type(self).__name__} has no fields")
        first = OrderedDict.get(self, names[0])
        if first is None or is_tensor(first):
            return
        pairs = first.items() if isinstance(first, dict) else first
        if not isinstance(pairs, Iterable):
            return
        OrderedDict.__delitem__(self, names[0])
        for index, pair in enumerate(pairs):
            if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not isinstance(pair[0], str):
                if index > 0:
                    raise ValueError(f"{type(self).__name__}: expected a (name, value) pair, found {pair!r}")
                self[names[0]] = first  # an ordinary sequence
                break
            object.__setattr__(self, pair[0], pair[1])
            if pair[1] is not None:
                self[pair[0]] = pair[1]

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return OrderedDict.__getitem__(self, key)
        return self.to_tuple()[key]

    def __setattr__(self, name: str, value: Any) -> None:
        if not self:  # the constructor of the dataclass, which this makes a third faster
            self.__dict__[name] = value
            return
        if value is not None and name in self:
            OrderedDict.__setitem__(self, name, value)
        object.__setattr__(self, name, value)

    def __setitem__(self, key: str, value: Any) -> None:
        OrderedDict.__setitem__(self, key, value)
        object.__setattr__(self, key, value)

    def to_tuple(self) -> tuple[Any, ...]:
        """The values of all fields that are not `None`, in order."""
        return tuple(self.values())

    def __reduce__(self) -> Any:
        if not dataclasses.is_dataclass(self):
            return super().__reduce__()
        arguments = tuple(getattr(self, field.name) for field in dataclasses.fields(self))
        return type(self), arguments, dict(self.__dict__), None, iter(self.items())

    def _refuse(self, method: str) -> TypeError:
        return TypeError(f"{method} is not available on {type(self).__name__}: the fields of an output are fixed")

    def __delitem__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._refuse("del")

    def setdefault(self, *args: Any, **kwargs: Any) -> Any:
        raise self._refuse("setdefault")

    def pop(self, *args: Any, **kwargs: Any) -> Any:
        raise self._refuse("pop")

    def update(self, *args: Any, **kwargs: Any) -> Any:
        raise self._refuse("update")


def _check_defaults(cls: type[ModelOutput]) -> None:
    """Raises a `ValueError` unless all fields that the class declares, other than the very first, default to `None`."""
    annotations = inspect.get_annotations(cls)
    fields = [name for name, annotation in annotations.items() if "ClassVar" not in str(annotation)]
    inherits = bool(getattr(cls, "__dataclass_fields__", None))
    for name in fields if inherits else fields[1:]:
        default = cls.__dict__.get(name, dataclasses.MISSING)
        if isinstance(default, dataclasses.Field):
            default = default.default
        if default is not None:
            found = "no default" if default is dataclasses.MISSING else f"the default {default!r}"
            raise ValueError(f"{cls.__name__}.{name} has {found}: all fields but the first must default to None")


def register_pytrees() -> None:
    """Makes the output classes that exist so far known to `torch.utils._pytree`.

    Classes made after torch was loaded are registered as they are made; modules of ours that load torch call this once
    for the earlier ones.
    """
    from torch.utils import _pytree

    while _PENDING:
        cls = _PENDING.pop()
        _pytree.register_pytree_node(
            cls,
            _flatten,
            _unflattener(cls),
            serialized_type_name=f"{cls.__module__}.{cls.__qualname__}",
            flatten_with_keys_fn=_flatten_with_keys,
        )


# The context of a node is the list of its keys: plain JSON, as `torch.export.save` needs.


def _flatten(output: ModelOutput) -> tuple[list[Any], list[str]]:
    return list(output.values()), list(output.keys())


def _flatten_with_keys(output: ModelOutput) -> tuple[list[tuple[Any, Any]], list[str]]:
    from torch.utils._pytree import MappingKey

    return [(MappingKey(key), value) for key, value in output.items()], list(output.keys())


def _unflattener(cls: type[ModelOutput]) -> Any:
    def unflatten(values: Iterable[Any], keys: Iterable[str]) -> ModelOutput:
        return cls(**dict(zip(keys, values)))

    return unflatten
