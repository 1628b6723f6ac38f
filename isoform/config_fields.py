"""Typed fields of configurations: declaration, type and range checks, documentation. Imports no framework."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, Union

from .errors import ConfigError

__all__ = ["SIZE_LIMIT", "Field", "collect", "field", "init_signature", "with_field_docs"]

# A size (an int that must be at least 1) above this is a damaged or hostile file: 16 million tokens, layers or units.
SIZE_LIMIT = 2**24


@dataclass(eq=False)
class Field:
    """What `field` declares; name, annotation and module are known once the class statement is complete."""

    default: Any
    doc: str = ""
    ge: float | None = None
    le: float | None = None
    choices: Sequence[Any] = ()
    kw_only: bool = False
    name: str = ""
    annotation: Any = Any
    module: str = ""

    def new_default(self) -> Any:
        """The default, copied if it can be changed."""
        return copy.deepcopy(self.default) if isinstance(self.default, (list, dict, set)) else self.default

    @property
    def type_text(self) -> str:
        """The annotation as it stands in the source."""
        if isinstance(self.annotation, str):
            return self.annotation
        return getattr(self.annotation, "__name__", str(self.annotation))

    @functools.cached_property
    def hint(self) -> Any:
        """The annotation, evaluated; `Any` if it names something that is not known in its module."""
        if not isinstance(self.annotation, str):
            return self.annotation
        try:
            return eval(self.annotation, dict(vars(sys.modules[self.module])))  # our source's annotation, never data
        except NameError:
            return Any

    @functools.cached_property
    def limit(self) -> float | None:
        """The greatest value: `le`, or `SIZE_LIMIT` for sizes."""
        is_size = self.ge is not None and self.ge >= 1 and any(part is int for part in _alternatives(self.hint))
        return SIZE_LIMIT if self.le is None and is_size else self.le

    @property
    def expected(self) -> str:
        """What the field must be, in words."""
        if self.choices:
            return "one of " + ", ".join(map(repr, self.choices))
        parts = [self.type_text]
        if self.ge is not None:
            parts.append(f"at least {self.ge:g}")
        if self.limit is not None:
            parts.append(f"at most {self.limit}")
        return ", ".join(parts)

    def check(self, value: Any) -> None:
        """Raise `ConfigError` unless the value has the declared type and lies in the declared range."""
        if value is self.default:
            return
        fits = value in self.choices if self.choices else matches(value, self.hint) and self._in_range(value)
        if not fits:
            raise ConfigError(field=self.name, expected=self.expected, found=value)

    def _in_range(self, value: Any) -> bool:
        return all(
            (self.ge is None or number >= self.ge) and (self.limit is None or number <= self.limit)
            for number in _numbers(value)
        )


def field(
    default: Any,
    doc: str = "",
    *,
    ge: float | None = None,
    le: float | None = None,
    choices: Sequence[Any] = (),
    kw_only: bool = False,
) -> Any:
    """Declare a field of a configuration class: `vocab_size: int = field(50432, "Number of token ids.", ge=1)`.

    Args:
        default: Value if none is given; lists and dictionaries are copied for each configuration.
        doc: One sentence for the documentation of the class.
        ge: Smallest value (of each number, where the field holds a list of them).
        le: Greatest value. An int that must be at least 1 is a size, and may be at most `SIZE_LIMIT` unless this says
            otherwise.
        choices: The values that are possible.
        kw_only: Leave the field out of the positional arguments.
    """
    return Field(default, doc, ge, le, choices, kw_only)


def collect(cls: type, inherited: Mapping[str, Field]) -> dict[str, Field]:
    """The fields of a class: the inherited ones, in their order, with those that the class statement adds or changes.

    Takes the `Field` objects off the class, so that `Config.vocab_size` is no attribute of the class.
    """
    fields = dict(inherited)
    annotations = inspect.get_annotations(cls)
    for name, value in list(vars(cls).items()):
        if not isinstance(value, Field):
            continue
        delattr(cls, name)
        value.name, value.module = name, cls.__module__
        value.annotation = annotations.get(name, inherited[name].annotation if name in inherited else Any)
        if name in fields and fields[name].kw_only and not value.kw_only:
            del fields[name]  # a common field that this architecture takes positionally
        fields[name] = value
    return fields


def init_signature(fields: Mapping[str, Field]) -> inspect.Signature:
    """`(self, vocab_size: int = 50432, …, **kwargs)`."""
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    parameters += [
        inspect.Parameter(
            name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=spec.default, annotation=spec.annotation
        )
        for name, spec in fields.items()
        if not spec.kw_only
    ]
    parameters.append(inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD, annotation=Any))
    return inspect.Signature(parameters, return_annotation=None)


def with_field_docs(doc: str, fields: Mapping[str, Field]) -> str:
    """The docstring of a configuration class, with a section that lists its own fields."""
    lines = [
        f"    {name} (`{spec.type_text}`, *optional*, defaults to `{spec.default!r}`): {spec.doc}"
        for name, spec in fields.items()
        if not spec.kw_only
    ]
    return "\n".join([inspect.cleandoc(doc), "", "Args:", *lines]) if lines else doc


def matches(value: Any, hint: Any) -> bool:
    """Whether a value, as JSON or a caller gives it, fits a type: an int is fine for a float, a list for a tuple."""
    if hint is Any:
        return True
    if hint is None or hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, Real) and not isinstance(value, bool) and value == value
    if hint is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return value in args
    if origin in (Union, types.UnionType):
        return any(matches(value, part) for part in args)
    kind = origin or hint
    if kind in (list, tuple, Sequence):
        return isinstance(value, (list, tuple)) and _items_match(value, kind, args)
    if kind in (dict, Mapping):
        return isinstance(value, Mapping) and (not args or all(matches(item, args[1]) for item in value.values()))
    return isinstance(value, kind) if isinstance(kind, type) else True


def _items_match(items: Sequence[Any], kind: Any, args: tuple[Any, ...]) -> bool:
    if not args:
        return True
    if kind is tuple and args[-1] is not Ellipsis:
        return len(items) == len(args) and all(map(matches, items, args))
    return all(matches(item, args[0]) for item in items)


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) in (Union, types.UnionType) else (hint,)


def _numbers(value: Any) -> Iterator[Any]:
    """The numbers in a value, or in the (nested) list of numbers that it is."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, Real) and not isinstance(value, bool):
        yield value
