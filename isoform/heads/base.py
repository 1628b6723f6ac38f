"""What every head shares: building from the class statement, and the signature of body plus labels."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ..layers.call import FLAGS, _named, _signature
from ..layers.documentation import forward_docstring


class Head:
    """A mixin that builds `body` under its `base_model_prefix` and gives `forward` the body's signature plus `labels`.

    A head that is itself a subclass of `body` has the body's modules directly, with no prefix (T5).

    The family's `_head_forward(self, inputs, <labels>)` receives the body's inputs as a dict (with `return_dict=True`
    set) and returns a `ModelOutput`; tuples are made here.

    Args of the class statement:
        body: the model under the head.
        signature: names of the tensor inputs in documented order where it is not the body's; ones that the body does
            not know are accepted and ignored, as documented. If it names labels or flags, it names all.
        body_options: further arguments of the body's constructor.
    """

    _body_class: type
    label_names: tuple[str, ...] = ("labels",)
    described: dict[str, str] = {}  # inputs whose meaning is not the usual one, for the docstring
    _body_options: dict[str, Any] = {}
    _stated: str | None = None

    def __init_subclass__(
        cls,
        body: type | None = None,
        signature: str | None = None,
        body_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init_subclass__(**options)
        if body_options is not None:
            cls._body_options = body_options
        if body is None:
            return
        cls._body_class, cls._stated = body, signature or cls._stated
        cls.forward = _bound(cls._head_forward, body, cls.label_names, cls._stated, cls.described)  # type: ignore[attr-defined]

    @classmethod
    def _set_options(cls, **options: Any) -> None:
        """Class attributes from those options of the class statement that it gives; the others stay as they are."""
        for name, value in options.items():
            if value is not None:
                setattr(cls, name, value)

    def __init__(self, config: Any) -> None:
        super().__init__(config)  # type: ignore[call-arg]
        if not isinstance(self, self._body_class):
            setattr(self, self.base_model_prefix, self._body_class(config, **self._body_options))  # type: ignore[attr-defined]
        self.build_head(config)

    def build_head(self, config: Any) -> None:
        """Create the modules of the head."""
        raise NotImplementedError

    def run_body(self, inputs: dict[str, Any]) -> Any:
        if isinstance(self, self._body_class):
            return self._body_class.forward(self, **inputs)  # type: ignore[attr-defined]
        return getattr(self, self.base_model_prefix)(**inputs)  # type: ignore[attr-defined]


def recorded(outputs: Any, output_class: Any) -> dict[str, Any]:
    """What the body recorded (cache, hidden states, attentions) and `output_class` has a field for."""
    fields = output_class.__dataclass_fields__
    return {name: value for name, value in outputs.items() if name != "last_hidden_state" and name in fields}


def _bound(
    function: Callable[..., Any],
    body: type,
    labels: tuple[str, ...],
    signature: str | None,
    described: dict[str, str],
) -> Callable[..., Any]:
    parameters = [p for p in inspect.signature(body.forward).parameters if p != "self"]  # type: ignore[attr-defined]
    stated = signature.split() if signature else parameters
    tensors = [name for name in stated if name not in FLAGS and name not in labels]
    ignored = [name for name in tensors if name not in parameters]
    if signature and len(tensors) < len(stated):
        order = tuple(stated)
    else:
        flags = [p for p in parameters if p in FLAGS and (p != "use_cache" or "past_key_values" in tensors)]
        order = (*tensors, *labels, *flags)

    @functools.wraps(function)
    def forward(self: Any, *args: Any, return_dict: bool | None = None, **inputs: Any) -> Any:
        if args:
            inputs = _named(args, order, inputs)
            return_dict = inputs.pop("return_dict", return_dict)
        given = [inputs.pop(name, None) for name in labels]
        for name in ignored:
            inputs.pop(name, None)
        output = function(self, {**inputs, "return_dict": True}, *given)
        return output if (self.config.use_return_dict if return_dict is None else return_dict) else output.to_tuple()

    forward.__name__ = "forward"
    forward.__signature__ = _signature(order)  # type: ignore[attr-defined]
    forward.__doc__ = forward_docstring(order, described)
    del forward.__wrapped__  # type: ignore[attr-defined]
    return forward
