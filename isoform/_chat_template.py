"""Chat templates: Jinja templates that come with checkpoints, so they are not trusted.

They run in Jinja's immutable sandbox: no attribute leads out of the given messages, and nothing that is given can be
changed. Jinja does not bound what a template costs, so this module does: it counts turns of loops, calls of macros and
the characters that expressions make, refuses operations whose result would be huge before they run, and watches the
clock. A template that exceeds the bounds, which are far above what any chat needs, ends in a `SecurityError`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import Any

__all__ = ["CHATML", "render_chat"]

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

MAX_STEPS = 200_000
"""Turns of loops and calls of macros in one chat."""
MAX_CHARACTERS = 50_000_000
"""Characters, or items of lists, that all expressions of one chat make together."""
MAX_WIDTH = 10_000
"""Largest width that padding, indentation and formatting may be asked for."""
MAX_TEMPLATE = 1_000_000
"""Characters of a template."""
MAX_SECONDS = 30.0

_CODECS = frozenset({"ascii", "latin-1", "utf-8", "utf8"})
_WIDTH_METHODS = frozenset({"center", "ljust", "rjust", "zfill"})
_WIDTH_FILTERS = frozenset({"batch", "center", "indent", "round", "slice", "tojson", "truncate", "wordwrap"})
# Filters that do not turn the value that they are given into text.
_PLAIN_FILTERS = frozenset(
    {
        *("abs", "attr", "batch", "count", "d", "default", "dictsort", "first", "float", "groupby", "int", "items"),
        *(
            "last",
            "length",
            "list",
            "map",
            "max",
            "min",
            "random",
            "reject",
            "rejectattr",
            "reverse",
            "round",
            "select",
        ),
        *("selectattr", "slice", "sort", "unique"),
    }
)


class _Budget:
    """What one rendering may still cost."""

    def __init__(self) -> None:
        self.steps, self.characters = MAX_STEPS, MAX_CHARACTERS
        self.deadline = time.monotonic() + MAX_SECONDS

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise _refusal(f"runs more than {MAX_STEPS} loop turns and macro calls")
        if time.monotonic() > self.deadline:
            raise _refusal(f"takes more than {MAX_SECONDS} seconds")

    def spend(self, size: int) -> None:
        self.characters -= size
        if self.characters < 0:
            raise _refusal(f"makes more than {MAX_CHARACTERS} characters")

    def made(self, value: Any) -> Any:
        """Charges for a value that an expression made."""
        if isinstance(value, (str, bytes, list, tuple)):
            self.spend(len(value))
        return value


_budget: ContextVar[_Budget] = ContextVar("chat_template_budget")


def render_chat(template: str, **variables: Any) -> str:
    """Renders a chat template with the given variables.

    Raises:
        jinja2.exceptions.TemplateError: The template is malformed, calls `raise_exception`, or (`SecurityError`)
            leaves the sandbox or costs too much.
    """
    budget = _Budget()
    token = _budget.set(budget)
    try:
        return "".join(map(budget.made, _compiled(template).generate(**variables)))
    except RecursionError as error:
        raise _refusal("nests too deeply") from error
    finally:
        _budget.reset(token)


def _refusal(reason: str) -> Exception:
    from jinja2.exceptions import SecurityError

    return SecurityError(f"the chat template {reason}: it is broken or hostile")


@lru_cache(maxsize=32)
def _compiled(template: str) -> Any:
    if len(template) > MAX_TEMPLATE:
        raise _refusal(f"has {len(template)} characters, more than {MAX_TEMPLATE}")
    return _environment().from_string(template)


@lru_cache(maxsize=1)
def _environment() -> Any:
    """The sandbox. Built on first use, because Jinja takes long to import."""
    from jinja2 import nodes
    from jinja2.exceptions import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.visitor import NodeTransformer

    def call_of(method: str, arguments: list[Any]) -> Any:
        """A call of a method of the environment, which no name in a template can shadow."""
        return nodes.Call(nodes.EnvironmentAttribute(method), arguments, [], None, None)

    class Metered(NodeTransformer):
        """Adds a step to each loop and macro, and routes the operator `~` through the budget."""

        def metered(self, node: Any) -> Any:
            node = self.generic_visit(node)
            node.body.insert(0, nodes.ExprStmt(call_of("step", []), lineno=node.lineno))
            return node

        visit_For = visit_Macro = visit_CallBlock = metered

        def visit_Concat(self, node: Any) -> Any:
            visited: Any = self.generic_visit(node)
            return call_of("join_texts", visited.nodes)

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"+", "*", "**", "%"})

        def _parse(self, source: str, name: str | None, filename: str | None) -> Any:
            return Metered().visit(super()._parse(source, name, filename))

        def step(self) -> None:
            _budget.get().step()

        def join_texts(self, *parts: Any) -> str:
            return self.concat(str(_printable(part)) for part in parts)

        def concat(self, parts: Iterable[str]) -> str:  # of macros and `set` blocks, too
            return "".join(map(_budget.get().made, parts))

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            _check_operation(operator, left, right)
            return _budget.get().made(super().call_binop(context, operator, left, right))

        def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
            _check_call(function, args, kwargs)
            return _budget.get().made(super().call(context, function, *args, **kwargs))

        def wrap_str_format(self, value: Any) -> Any:
            wrapped = super().wrap_str_format(value)
            if wrapped is None:
                return None

            def bounded(*args: Any, **kwargs: Any) -> str:
                _check_call(value, args, kwargs)
                return wrapped(*args, **kwargs)

            return bounded

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = Sandbox(trim_blocks=True, lstrip_blocks=True, finalize=_printable)
    environment.globals["raise_exception"] = raise_exception
    environment.globals.pop("lipsum")  # makes any amount of text
    environment.filters = {name: _bounded_filter(name, call) for name, call in environment.filters.items()}
    return environment


def _bounded_filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    # Some filters take the context or the environment before the value.
    first = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)  # keeps that mark
    def bounded(*args: Any, **kwargs: Any) -> Any:
        value, options = args[first], [*args[first + 1 :], *kwargs.values()]
        if name not in _PLAIN_FILTERS:
            _printable(value)
        if name in _WIDTH_FILTERS:
            _check_widths(options)
        if name in ("indent", "wordwrap"):
            sizes = [len(o) if isinstance(o, str) else o for o in options if isinstance(o, (int, str))]
            factor = max([1, *(sizes if name == "indent" else sizes[2:])])
            _budget.get().spend((str(value).count("\n") if name == "indent" else len(str(value))) * factor)
        elif name == "replace" and len(options) > 1:
            _check_replace(str(value), *map(str, options[:2]))
        elif name == "format":
            _check_format(value, options)
        elif name == "sum" and any(isinstance(option, (list, tuple)) for option in options):
            raise _refusal("adds up lists")
        return _budget.get().made(function(*args, **kwargs))

    return bounded


def _printable(value: Any) -> Any:
    """The value, if the text of it is within bounds: lists may hold the same list many times over."""
    if isinstance(value, (list, tuple, dict)):
        left, todo = MAX_CHARACTERS // 10, [value]
        while todo:
            item = todo.pop()
            if isinstance(item, dict):
                item = [*item, *item.values()]
            if isinstance(item, (list, tuple)):
                todo += item[: left + 1]
                left -= len(item) + 1
            elif isinstance(item, str):
                left -= len(item) // 10
            if left < 0:
                raise _refusal("prints a huge list")
    return value


def _check_operation(operator: str, left: Any, right: Any) -> None:
    """Refuses an operation whose result would be huge, before it is made."""
    if operator == "*":
        for sequence, count in ((left, right), (right, left)):
            if isinstance(sequence, (str, bytes, list, tuple)) and isinstance(count, int):
                _budget.get().spend(len(sequence) * max(count, 0))
    if operator in ("*", "**") and isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * max(right, 0) if operator == "**" else left.bit_length() + right.bit_length()
        if bits > MAX_WIDTH:
            raise _refusal(f"computes a number of {bits} bits")
    if operator == "%" and isinstance(left, (str, bytes)):
        _check_format(left, right if isinstance(right, tuple) else [right])


def _check_call(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuses a call of a method of a text whose result would be huge, before it is made."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if not isinstance(owner, (str, bytes)):
        return
    values = [*args, *kwargs.values()]
    if name in _WIDTH_METHODS:
        _check_widths(values)
    elif name == "expandtabs":
        _budget.get().spend(len(owner) * max([8, *(v for v in values if isinstance(v, int))]))
    elif name == "replace" and len(args) > 1:
        _check_replace(owner, *args[:2])
    elif name == "join" and args and isinstance(args[0], (list, tuple, str)):
        _budget.get().spend(len(owner) * len(args[0]))
    elif name in ("format", "format_map"):
        _check_format(owner, [*values, *(item for v in values if isinstance(v, dict) for item in v.values())])
    elif name == "translate" or (name in ("encode", "decode") and not {v.lower() for v in values[:1]} <= _CODECS):
        raise _refusal(f"calls {name} of a text")


def _check_widths(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, int) and abs(value) > MAX_WIDTH:
            raise _refusal(f"asks for a width of {value}")


def _check_format(text: Any, values: Iterable[Any]) -> None:
    """Widths may be part of the format (`%1000000d`), or be values of it (`%*d`, `{:{}}`)."""
    if not isinstance(text, (str, bytes)):
        return
    text = text if isinstance(text, str) else text.decode("latin-1")
    values = list(map(_printable, values))
    if any(len(width) > 5 or int(width) > MAX_WIDTH for width in re.findall(r"[%{:.][^%{}a-zA-Z]*?(\d+)", text)):
        raise _refusal("asks for a huge width in a format")
    if re.search(r"%[^%a-zA-Z]*\*|\{[^{}]*\{", text):
        _check_widths(values)


def _check_replace(text: Any, old: Any, new: Any) -> None:
    count = text.count(old) if old else len(text) + 1
    _budget.get().spend(count * len(new))
