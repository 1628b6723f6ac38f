"""`ModelOutput`: object, dictionary and tuple in one; and the classes of `modeling_outputs`."""

from __future__ import annotations

import copy
import io
import json
import pickle
import subprocess
import sys
from collections import OrderedDict
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils import _pytree

from isoform import modeling_outputs
from isoform.modeling_outputs import BaseModelOutput, BaseModelOutputWithPast, CausalLMOutputWithPast
from isoform.utils import ModelOutput

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "modeling_outputs.json").read_text())


@dataclass
class Output(ModelOutput):
    a: float
    b: float | None = None
    c: float | None = None


# -- Three views of the same fields --


def test_attributes_keys_and_indices():
    x = Output(a=30, c=5)
    assert (x.a, x.b, x.c) == (30, None, 5)
    assert x["a"] == 30 and x["c"] == 5
    with pytest.raises(KeyError):
        x["b"]
    assert x[0] == 30 and x[1] == 5 and x[-1] == 5
    with pytest.raises(IndexError):
        x[2]
    assert x[:2] == (30, 5) and x[1:] == (5,)
    assert x.to_tuple() == (30, 5) and tuple(x.values()) == (30, 5)
    with pytest.raises(AttributeError):
        _ = x.d


def test_dictionary_without_none():
    x = Output(a=30, c=5)
    assert isinstance(x, OrderedDict)
    assert dict(x) == {"a": 30, "c": 5} == {**x} == (lambda **given: given)(**x)
    assert list(x) == list(x.keys()) == ["a", "c"] and len(x) == 2
    assert "b" not in x and x.get("b", "missing") == "missing" and list(x.items()) == [("a", 30), ("c", 5)]
    assert len(Output(None)) == 0 and Output(None).to_tuple() == ()


def test_setting_keeps_the_views_equal():
    x = Output(a=30)
    x.a = 10
    assert x.a == x["a"] == x[0] == 10
    x["a"] = 11
    assert x.a == x["a"] == x[0] == 11
    x["b"] = 12  # an item that was None
    assert x.b == 12 and x.to_tuple() == (11, 12)
    x.c = 13  # an attribute alone does not add an item
    assert x.c == 13 and "c" not in x


@pytest.mark.parametrize("change", [lambda x: x.pop("a"), lambda x: x.update(a=1), lambda x: x.setdefault("b", 1)])
def test_nothing_can_be_removed(change):
    x = Output(a=30)
    with pytest.raises(TypeError, match="fields of an output are fixed"):
        change(x)
    with pytest.raises(TypeError, match="fields of an output are fixed"):
        del x["a"]
    assert dict(x) == {"a": 30}


def test_equality_and_text():
    assert Output(1, 2) == Output(1, 2) and Output(1) != Output(2)
    assert repr(Output(1, 2)).endswith("Output(a=1, b=2, c=None)")


# -- Construction from the first argument --


@pytest.mark.parametrize(
    "first", [{"a": 30, "b": 10}, [("a", 30), ("b", 10)], (["a", 30], ["b", 10]), iter([("a", 30), ("b", 10)])]
)
def test_fields_from_a_dictionary_or_pairs(first):
    x = Output(first)
    assert dict(x) == {"a": 30, "b": 10} and (x.a, x.b, x.c) == (30, 10, None)


@pytest.mark.parametrize("first", [[1, 2], (1, 2), "text", [("a", 1, 2)], 3.5])
def test_other_values_stay_the_first_field(first):
    x = Output(first)
    assert x.a == first and dict(x) == {"a": first}


@pytest.mark.parametrize("tensor", [torch.ones(2, 2), np.ones((2, 2))])
def test_tensors_are_not_taken_apart(tensor):
    assert Output(tensor).a is tensor


def test_not_a_pair():
    with pytest.raises(ValueError, match=r"expected a \(name, value\) pair, found \(10, 10\)"):
        Output([("a", 30), (10, 10)])


def test_two_arguments_are_never_taken_apart():
    assert dict(Output({"b": 3}, c=4)) == {"a": {"b": 3}, "c": 4}


# -- Subclasses --


def test_subclass_needs_the_decorator():
    class Plain(ModelOutput):
        a: float | None = None

    with pytest.raises(TypeError, match="must be decorated with @dataclass"):
        Plain(a=1)


def test_only_the_first_field_may_be_required():
    with pytest.raises(ValueError, match=r"Two.b has no default"):

        @dataclass
        class Two(ModelOutput):
            a: float
            b: float

    with pytest.raises(ValueError, match=r"Three.b has the default 3"):

        @dataclass
        class Three(ModelOutput):
            a: float
            b: float = 3


def test_subclass_of_an_output():
    @dataclass
    class More(CausalLMOutputWithPast):
        extra: torch.Tensor | None = None

    assert dict(More(logits=1, extra=2)) == {"logits": 1, "extra": 2}
    assert [field.name for field in fields(More)][-1] == "extra"


# -- Copies, pytrees, compilation, export --


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(duplicate):
    x = CausalLMOutputWithPast(logits=torch.arange(3.0), hidden_states=(torch.ones(1),))
    x.note = "kept"
    y = duplicate(x)
    assert type(y) is CausalLMOutputWithPast and list(y) == ["logits", "hidden_states"]
    assert torch.equal(y.logits, x.logits) and torch.equal(y["logits"], x.logits) and y.note == "kept"


def test_pytree():
    x = CausalLMOutputWithPast(logits=1.0, past_key_values=((2.0, 3.0),))
    leaves, spec = _pytree.tree_flatten(x)
    assert leaves == [1.0, 2.0, 3.0]
    doubled = _pytree.tree_map(lambda leaf: leaf * 2, x)
    assert type(doubled) is CausalLMOutputWithPast and doubled.past_key_values == ((4.0, 6.0),)
    assert _pytree.tree_unflatten(leaves, _pytree.treespec_loads(_pytree.treespec_dumps(spec))) == x
    paths = [_pytree.keystr(path) for path, _ in _pytree.tree_flatten_with_path(x)[0]]
    assert paths == ["['logits']", "['past_key_values'][0][0]", "['past_key_values'][0][1]"]


class Module(torch.nn.Module):
    def forward(self, x):
        inner = BaseModelOutputWithPast(last_hidden_state=x * 2, past_key_values=((x, x + 1),))
        inner.attentions = (x,)
        logits = inner[0] + inner.last_hidden_state + inner["last_hidden_state"]
        return CausalLMOutputWithPast(logits=logits, past_key_values=inner.past_key_values)


def test_compiles_without_a_graph_break():
    y = torch.compile(Module(), backend="eager", fullgraph=True)(torch.ones(3))
    assert type(y) is CausalLMOutputWithPast and list(y) == ["logits", "past_key_values"]
    assert torch.equal(y[0], torch.full((3,), 6.0))


def test_exports_and_is_saved():
    program = torch.export.export(Module(), (torch.ones(3),))
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    y = torch.export.load(file).module()(torch.ones(3))
    assert type(y) is CausalLMOutputWithPast and torch.equal(y.logits, torch.full((3,), 6.0))


def test_classes_made_before_torch_are_registered_later():
    program = """
import sys
from dataclasses import dataclass
from isoform.utils import ModelOutput
@dataclass
class Early(ModelOutput):
    a: object = None
assert "torch" not in sys.modules
import isoform.modeling_outputs
from torch.utils import _pytree
assert _pytree.tree_map(lambda leaf: leaf + 1, Early(1)) == Early(2)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


# -- The classes --


def test_fields_and_their_order():
    found = {
        name: [field.name for field in fields(value)]
        for name, value in vars(modeling_outputs).items()
        if isinstance(value, type) and is_dataclass(value) and not name.startswith("_")
    }
    assert found == GOLDEN


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_every_class_is_made_from_its_fields(name):
    cls = getattr(modeling_outputs, name)
    values = {field: index for index, field in enumerate(GOLDEN[name])}
    assert dict(cls(**values)) == values and cls(*values.values()).to_tuple() == tuple(values.values())
    assert cls().to_tuple() == () and cls.__doc__


def test_former_name_of_a_reconstruction():
    output = modeling_outputs.MaskedImageModelingOutput(reconstruction=1)
    with pytest.warns(FutureWarning, match="reconstruction"):
        assert output.logits == 1
    with pytest.raises(AttributeError):
        output.logits = 2


def test_single_field():
    assert BaseModelOutput(last_hidden_state=torch.ones(1)).to_tuple()[0].item() == 1
