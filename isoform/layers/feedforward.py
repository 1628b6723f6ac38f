"""The position-wise feed-forward block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from ..activations import ACT2FN
from .dropout import Dropout


class FeedForward(nn.Module):
    """`down(act(up(x)))`, or `down(act(gate(x)) * up(x))` with a gate (Shazeer 2020).

    The class statement names the projections as the checkpoints do:
    `class LlamaMLP(FeedForward, gate="gate_proj", up="up_proj", down="down_proj", bias=False): ...`

    Args of the class statement:
        up, down, gate: attribute names; no gate, no gating.
        act: the activation, by the name of its config field.
        act_name: its attribute name.
        bias: whether the projections have one.
        dropout: config field of a dropout (attribute `dropout`) on the output; None for none.
        linear: builds a projection from its input and output width.
    """

    _names: tuple[str, str, str | None, str]
    _options: tuple[str, bool, str | None, Callable[..., nn.Module]]

    def __init_subclass__(
        cls,
        up: str | None = None,
        down: str = "",
        gate: str | None = None,
        act: str = "hidden_act",
        act_name: str = "act",
        bias: bool = True,
        dropout: str | None = None,
        linear: Callable[..., nn.Module] = nn.Linear,
    ) -> None:
        if up is not None:
            cls._names = (up, down, gate, act_name)
            cls._options = (act, bias, dropout, linear)

    def __init__(self, config: Any, intermediate_size: int | None = None) -> None:
        super().__init__()
        up, down, gate, act_name = self._names
        act, bias, dropout, linear = self._options
        options = {} if linear is not nn.Linear else {"bias": bias}
        hidden = config.hidden_size
        width = intermediate_size or config.intermediate_size
        for name in (gate, up):
            if name:
                setattr(self, name, linear(hidden, width, **options))
        setattr(self, down, linear(width, hidden, **options))
        setattr(self, act_name, ACT2FN[getattr(config, act)])
        self.dropout = Dropout(getattr(config, dropout)) if dropout else None

    def forward(self, x: Tensor) -> Tensor:
        up, down, gate, act_name = self._names
        act, y = getattr(self, act_name), getattr(self, up)(x)
        y = act(getattr(self, gate)(x)) * y if gate else act(y)
        y = getattr(self, down)(y)
        return self.dropout(y) if self.dropout else y
