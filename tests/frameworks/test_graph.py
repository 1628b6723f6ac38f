"""Forwards as graphs: walked by torch itself the graph gives what the model gives, and says what it lacks."""

from __future__ import annotations

import pytest
import torch

import isoform
from isoform.frameworks.graph import LoweringError, Program, evaluate, trace


class Torch(dict):
    """A table in which every operator stands for itself."""

    def get(self, key, default=None):
        return key


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = isoform.GPT2Config(n_layer=2, n_embd=32, n_head=4, vocab_size=50, n_positions=32)
    return isoform.GPT2LMHeadModel(config).eval()


def inputs(batch: int, length: int) -> dict[str, torch.Tensor]:
    ids = torch.arange(batch * length).view(batch, length) % 50
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}


@pytest.fixture(scope="module")
def program(model) -> Program:
    example = inputs(3, 7)
    return trace(model, {**example, "use_cache": True}, dict.fromkeys(example, (0, 1)))


def placeholders(program: Program, model, given: dict) -> dict:
    state = model.state_dict()
    values = {name: state[key] for name, key in program.parameters.items()}
    return {**values, **program.constants, **{name: given.get(key) for name, key in program.inputs.items()}}


def cast(x, dtype):
    assert x.dtype == dtype
    return x


def test_other_sizes_give_what_the_model_gives(model, program):
    given = inputs(2, 11)
    flat, updates = evaluate(program, Torch(), placeholders(program, model, given), cast)
    want = model(**given, use_cache=True)
    got = torch.utils._pytree.tree_unflatten(flat, program.out_spec)
    assert type(got) is type(want) and updates == {}
    torch.testing.assert_close(got.loss, want.loss)
    torch.testing.assert_close(got.logits, want.logits)
    torch.testing.assert_close(got.past_key_values[1][0], want.past_key_values[1][0])


def test_weights_are_no_part_of_a_program(model, program):
    assert set(program.parameters.values()) <= set(model.state_dict())
    assert not program.constants
    changed = {key: value + 1 for key, value in model.state_dict().items()}
    given = inputs(2, 5)
    values = placeholders(program, model, given)
    values.update({name: changed[key] for name, key in program.parameters.items()})
    flat, _ = evaluate(program, Torch(), values, cast)
    assert not torch.allclose(flat[1], model(**given).logits)


def test_a_missing_operator_is_named_with_its_place(model, program):
    table = {op: op for op in program.operators() if op is not torch.ops.aten.gelu.default}
    with pytest.raises(LoweringError, match=r"aten\.gelu\.default, used at .*activations"):
        evaluate(program, table, placeholders(program, model, inputs(2, 5)), cast)


def test_dependence_on_values_is_refused():
    class Odd(torch.nn.Module):
        def forward(self, x):
            return x + 1 if x.sum() > 0 else x

    with pytest.raises(LoweringError, match="Odd cannot be traced"):
        trace(Odd(), {"x": torch.ones(3)}, {"x": (0,)})
