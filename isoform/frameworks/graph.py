"""A model's forward pass as a graph of ATen operators, and the walk that runs it in another framework.

`trace` exports the forward of a torch model with dynamic sizes; `evaluate` runs the resulting `Program` with a table
from operators to functions of the framework. Weights are not part of a program: they are its first arguments.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.utils._pytree as pytree
from torch import Tensor, fx
from torch.export import Dim, ExportedProgram, default_decompositions
from torch.export.graph_signature import InputKind, OutputKind

from ..errors import IsoformError

aten = torch.ops.aten

# Kept whole: frameworks have them too, and a graph of these is shorter, quicker to trace and faster than its parts.
WHOLE = (
    aten.linear.default,
    aten.matmul.default,
    aten.layer_norm.default,
    aten.group_norm.default,
    aten.scaled_dot_product_attention.default,
    aten.dropout.default,
    aten.softmax.int,
    aten.log_softmax.int,
    aten.silu.default,
)

# Sizes as Python numbers; they appear as functions in the graph.
ARITHMETIC = frozenset(
    getattr(operator, name)
    for name in ("add", "sub", "mul", "floordiv", "truediv", "mod", "neg", "pow", "lt", "le", "gt", "ge", "eq", "ne")
) | {min, max, torch.sym_max, torch.sym_min, torch.sym_int, torch.sym_float, torch.sym_not}

# Checks of the tracer, which say nothing about values.
_CHECKS = ("_assert_tensor_metadata", "_assert_async", "_assert_scalar", "sym_constrain_range", "_assert_msg")


class LoweringError(IsoformError, NotImplementedError):
    """A model cannot be expressed in another framework."""


@dataclass
class Program:
    """A forward pass without weights.

    Attributes:
        nodes: the operators, in order.
        parameters: placeholder -> name in the state dict, for weights and persistent buffers.
        constants: placeholder -> tensor, for what is neither weight nor input.
        inputs: placeholder -> name of the argument, dotted where it is nested.
        outputs: what is returned: nodes, numbers and None.
        updates: output -> name of the buffer that it replaces (running statistics, in training).
        out_spec: how the outputs nest.
    """

    nodes: list[fx.Node]
    parameters: dict[str, str]
    constants: dict[str, Tensor]
    inputs: dict[str, str]
    outputs: list[Any]
    updates: dict[str, str]
    out_spec: pytree.TreeSpec
    last_use: dict[str, list[str]] = field(default_factory=dict)  # node -> values that are not used after it

    def operators(self) -> set[Any]:
        """The distinct operators, without arithmetic on sizes."""
        return {node.target for node in self.nodes if node.op == "call_function"} - ARITHMETIC - {operator.getitem}


def trace(model: torch.nn.Module, inputs: Mapping[str, Any], dynamic: Mapping[str, Iterable[int]]) -> Program:
    """The forward of `model` (in its present mode) over `inputs`.

    Args:
        inputs: keyword arguments of the forward: tensors, nested containers of tensors, flags. Sizes that may vary must
            be at least 2, and different from each other where they are different things.
        dynamic: for each tensor among the inputs, which of its dimensions may have other sizes later.

    Raises:
        LoweringError: the forward depends on values, not only on shapes; the message names the place.
    """
    shapes = {
        name: None if not isinstance(value, Tensor) else dict.fromkeys(dynamic.get(name, ()), Dim.AUTO) or None
        for name, value in inputs.items()
    }
    try:
        with torch.no_grad():
            exported = torch.export.export(model, (), dict(inputs), dynamic_shapes=shapes, strict=False)
            table = default_decompositions()
            for op in WHOLE:
                table.pop(op, None)
            exported = exported.run_decompositions(table)
    except Exception as error:
        raise LoweringError(f"{type(model).__name__} cannot be traced: {error}") from error
    return _program(exported, inputs)


def _program(exported: ExportedProgram, inputs: Mapping[str, Any]) -> Program:
    signature = exported.graph_signature
    parameters, constants, given = {}, {}, []
    for spec in signature.input_specs:
        name = spec.arg.name
        if spec.kind == InputKind.USER_INPUT:
            given.append(name)
        elif spec.target in exported.state_dict:
            parameters[name] = spec.target
        else:
            constants[name] = exported.constants[spec.target]
    leaves = [_dotted(path) for path, _ in pytree.tree_flatten_with_path(dict(inputs))[0]]
    updates, outputs = {}, []
    (returned,) = next(node for node in exported.graph.nodes if node.op == "output").args
    for spec, value in zip(signature.output_specs, returned):
        if spec.kind == OutputKind.USER_OUTPUT:
            outputs.append(value)
        elif spec.kind == OutputKind.BUFFER_MUTATION:
            updates[value.name] = spec.target
    nodes = [node for node in exported.graph.nodes if node.op == "call_function" and not _is_check(node)]
    program = Program(
        nodes, parameters, constants, dict(zip(given, leaves)), outputs, updates, exported.call_spec.out_spec
    )
    program.last_use = _last_uses(program)
    return program


def _dotted(path: tuple[Any, ...]) -> str:
    return ".".join(str(getattr(key, "key", getattr(key, "idx", key))) for key in path)


def _is_check(node: fx.Node) -> bool:
    return any(check in str(node.target) for check in _CHECKS)


def _last_uses(program: Program) -> dict[str, list[str]]:
    kept = {value.name for value in program.outputs if isinstance(value, fx.Node)} | set(program.updates)
    last: dict[str, str] = {}
    for node in program.nodes:
        for used in node.all_input_nodes:
            last[used.name] = node.name
    ends: dict[str, list[str]] = {}
    for value, user in last.items():
        if value not in kept:
            ends.setdefault(user, []).append(value)
    return ends


def evaluate(
    program: Program,
    operators: Mapping[Any, Callable[..., Any]],
    values: dict[str, Any],
    cast: Callable[[Any, torch.dtype], Any],
) -> tuple[list[Any], dict[str, Any]]:
    """Run `program` in a framework.

    Args:
        operators: from ATen operators to functions of the framework's arrays.
        values: by placeholder: weights, constants and inputs; used up.
        cast: gives an array a type; results are of torch's types this way, whatever the framework's rules are.

    Returns:
        The outputs, flat, and the new values of buffers by their names.

    Raises:
        LoweringError: an operator is not in the table; the message says where the model uses it.
    """

    def value(x: Any) -> Any:
        return values[x.name]

    for node in program.nodes:
        target: Any = node.target
        function = operators.get(target)
        if function is None and (target in ARITHMETIC or target is operator.getitem):
            function = target
        if function is None:
            raise LoweringError(f"There is no lowering for the operator {target}, used at {_place(node)}")
        args, kwargs = fx.map_arg(node.args, value), fx.map_arg(node.kwargs, value)
        try:
            made = function(*args, **kwargs)
            expected = node.meta.get("val")
            values[node.name] = cast(made, expected.dtype) if isinstance(expected, Tensor) else made
        except LoweringError:
            raise
        except Exception as error:
            if hasattr(error, "add_note"):  # Python 3.11
                error.add_note(f"in the lowering of {target}, used at {_place(node)}")
            raise
        for done in program.last_use.get(node.name, ()):
            values.pop(done, None)
    outputs = fx.map_arg(program.outputs, value)
    return list(outputs), {name: values[node] for node, name in program.updates.items()}


def _place(node: fx.Node) -> str:
    """The line of the model that made a node."""
    lines = (node.meta.get("stack_trace") or "").strip().splitlines()
    return " ".join(line.strip() for line in lines[-2:]) or node.format_node() or node.name
