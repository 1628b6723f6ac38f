"""Properties that every architecture has, each written once and run for every class with a golden case."""

from __future__ import annotations

import functools
import inspect

import pytest
import torch

import isoform
from isoform.errors import ConfigError
from tests.contract.test_golden import assert_close
from tests.golden.cases import Case, flatten, paths


@pytest.fixture(params=paths(), ids=lambda path: path.stem, scope="module")
def case(request):
    return Case(request.param)


@pytest.fixture
def model(case):
    return case.model()


def decodes(case: Case) -> bool:
    return "past_key_values" in inspect.signature(case.model_class.forward).parameters


def text_inputs(case: Case) -> dict[str, torch.Tensor]:
    """The case's inputs without head mask and padding, which each test adds as it needs them."""
    return {k: v for k, v in case.inputs.items() if k not in ("head_mask", "attention_mask", "labels")}


def in_dtype(inputs: dict, dtype: torch.dtype) -> dict:
    return {k: v.to(dtype) if isinstance(v, torch.Tensor) and v.is_floating_point() else v for k, v in inputs.items()}


def depends_on_length(case: Case) -> bool:
    """Dynamic rotary scaling changes the positions with the length of the whole input, by its definition."""
    return (case.json("config").get("rope_scaling") or {}).get("type") == "dynamic"


def first(output) -> torch.Tensor:
    """The main result of an output: logits, or the last hidden state."""
    return next(v for k, v in output.items() if k != "loss")


def compare(got, want, skip: tuple[str, ...] = ()) -> None:
    got, want = flatten(got), flatten(want)
    assert got.keys() == want.keys()
    for name, tensor in want.items():
        if not name.startswith(skip or ("\0",)):
            assert_close(name, got[name], tensor)


@torch.no_grad()
def test_save_and_load(case, model, tmp_path):
    model.save_pretrained(tmp_path)
    loaded, info = case.model_class.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    assert not loaded.training
    want, got = model.state_dict(), loaded.state_dict()
    assert got.keys() == want.keys() and all(torch.equal(got[name], want[name]) for name in want)
    assert loaded.config.to_dict() == {**model.config.to_dict(), "_name_or_path": str(tmp_path)}
    compare(loaded(**case.inputs), model(**case.inputs))


@torch.no_grad()
def test_tuple_equals_dict(case, model):
    flags = {"output_hidden_states": True, "output_attentions": True}
    named, plain = model(**case.inputs, **flags), model(**case.inputs, **flags, return_dict=False)
    assert isinstance(plain, tuple)
    compare(plain, tuple(named.values()))


@torch.no_grad()
def test_positional_equals_keyword(case, model):
    names = [p for p in inspect.signature(case.model_class.forward).parameters if p != "self"]
    arguments = [case.inputs.get(name) for name in names]
    compare(model(*arguments), model(**case.inputs))
    with pytest.raises(TypeError, match="no_such_input"):
        model(**case.inputs, no_such_input=1)


@torch.no_grad()
def test_fused_equals_explicit(case):
    eager, fused = case.model(attn_implementation="eager"), case.model(attn_implementation="sdpa")
    assert eager.config._attn_implementation == "eager" and fused.config._attn_implementation == "sdpa"
    inputs = text_inputs(case)
    compare(fused(**inputs), eager(**inputs))
    length = inputs["input_ids"].shape[-1]
    mask = torch.ones(inputs["input_ids"].shape, dtype=torch.long)
    mask[..., length - 2 :] = 0
    mask = mask.flatten(0, -2)
    got, want = first(fused(**inputs, attention_mask=mask)), first(eager(**inputs, attention_mask=mask))
    assert_close("masked", got, want)


@torch.no_grad()
def test_cached_equals_uncached(case, model):
    inputs = text_inputs(case)
    if not decodes(case) or inputs["input_ids"].dim() != 2 or depends_on_length(case):
        pytest.skip("not a class that decodes step by step")
    body = model.base_model
    tensors = {k: v for k, v in inputs.items() if k in inspect.signature(type(body).forward).parameters}
    fixed = {k: tensors.pop(k) for k in list(tensors) if k.startswith("encoder")}
    body = functools.partial(body, **fixed)
    whole = body(**tensors).last_hidden_state
    past, pieces = None, []
    for begin, end in ((0, 3), (3, 4), (4, 5), (5, whole.shape[1])):
        output = body(**{k: v[:, begin:end] for k, v in tensors.items()}, past_key_values=past, use_cache=True)
        past = output.past_key_values
        pieces.append(output.last_hidden_state)
    assert_close("cached", torch.cat(pieces, 1), whole)
    # The documented nested tuple works as well, and an old handle can be continued twice.
    head = body(**{k: v[:, :3] for k, v in tensors.items()}, use_cache=True).past_key_values
    for old in (head, tuple(tuple(layer) for layer in head), head):
        assert old[0][0].shape[2] == 3
        rest = body(**{k: v[:, 3:] for k, v in tensors.items()}, past_key_values=old).last_hidden_state
        assert_close("continued", rest, whole[:, 3:])


@torch.no_grad()
def test_padding_changes_nothing(case, model):
    inputs = text_inputs(case)
    body = model.base_model
    ids = inputs["input_ids"]
    if ids.dim() != 2 or depends_on_length(case):
        pytest.skip("positions of a padded input differ by design, or inputs with choices")
    want = body(input_ids=ids).last_hidden_state
    pad = torch.zeros(ids.shape[0], 3, dtype=ids.dtype)
    mask = torch.cat((torch.zeros_like(pad), torch.ones_like(ids)), 1)
    extra = {}
    if "position_ids" in inspect.signature(type(body).forward).parameters:
        extra["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    left = body(input_ids=torch.cat((pad, ids), 1), attention_mask=mask, **extra).last_hidden_state
    assert torch.isfinite(left).all()
    assert_close("left", left[:, 3:], want)
    right = body(input_ids=torch.cat((ids, pad), 1), attention_mask=mask.flip(1)).last_hidden_state
    assert_close("right", right[:, :-3], want)


@torch.no_grad()
def test_inputs_embeds(case, model):
    inputs = text_inputs(case)
    if inputs["input_ids"].dim() != 2 or "mc_token_ids" in inputs or "SequenceClassification" in str(case):
        pytest.skip("needs the token ids")
    embedded = model.get_input_embeddings()(inputs["input_ids"])
    rest = {k: v for k, v in inputs.items() if k != "input_ids"}
    compare(model(inputs_embeds=embedded, **rest), model(**inputs))
    with pytest.raises(ValueError, match="input_ids"):
        model(**rest)


def test_gradient_checkpointing(case, model):
    if not case.json("loss"):
        pytest.skip("the class has no loss")

    def gradients() -> dict[str, torch.Tensor]:
        model.zero_grad()
        torch.manual_seed(0)
        model(**case.inputs, **case.labels).loss.backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.train()
    want = gradients()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    assert model.is_gradient_checkpointing
    compare(gradients(), want)
    model.gradient_checkpointing_disable()
    assert not model.is_gradient_checkpointing


@torch.no_grad()
def test_resize_embeddings(case, model):
    old = model.get_input_embeddings().weight.clone()
    model.resize_token_embeddings(len(old) + 5, pad_to_multiple_of=8)
    new = model.get_input_embeddings().weight
    assert new.shape[0] % 8 == 0 and new.shape[0] == model.config.vocab_size
    assert torch.equal(new[: len(old)], old)
    output = first(model(**case.inputs))
    head = model.get_output_embeddings()
    if head is not None:
        assert output.shape[-1] == head.weight.shape[0] == new.shape[0]
        assert (head.weight is new) == bool(model.config.tie_word_embeddings)


@torch.no_grad()
def test_prune_heads(case, model):
    body = model.base_model
    if not hasattr(body, "_prune_heads"):
        pytest.skip("the architecture does not document pruning")
    heads = model.config.num_attention_heads
    mask = torch.ones(model.config.num_hidden_layers, heads)
    mask[0, 1] = 0
    inputs = {k: v for k, v in text_inputs(case).items() if not k.startswith("encoder")}  # pruning is of self-attention
    want = first(model(**inputs, head_mask=mask))
    model.prune_heads({0: [1]})
    assert_close("pruned", first(model(**inputs)), want)


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision(case, model, dtype):
    want = first(model(**case.inputs))
    got = first(model.to(dtype)(**in_dtype(case.inputs, dtype))).float()
    assert torch.isfinite(got).all()
    if not isinstance(case.inputs.get("attention_mask"), torch.Tensor):
        # 8 and 11 bits of mantissa over two layers: a few units in the last place of the largest element.
        assert float((got - want).abs().max()) <= (0.06 if dtype is torch.bfloat16 else 0.01) * max(1, want.abs().max())


@torch.no_grad()
def test_exports_with_dynamic_shapes(case, model):
    inputs = {k: v for k, v in case.inputs.items() if k in ("input_ids", "mc_token_ids", "token_type_ids")}
    ids = inputs["input_ids"]
    if ids.dim() == 2:
        inputs["attention_mask"] = torch.ones_like(ids)
    if "use_cache" in inspect.signature(case.model_class.forward).parameters:
        inputs["use_cache"] = False
    auto = torch.export.Dim.AUTO
    shapes = {k: None if k == "use_cache" else dict.fromkeys(range(v.dim()), auto) for k, v in inputs.items()}
    program = torch.export.export(model, (), inputs, dynamic_shapes=shapes)
    other = {}
    for name, value in inputs.items():
        if name == "use_cache":
            other[name] = value
        elif name == "mc_token_ids":
            other[name] = torch.cat((value, value[:1]))
        else:
            grown = torch.cat((value, value[..., :3]), -1)
            other[name] = torch.cat((grown, grown[:1]))
    symbols = {
        str(d)
        for n in program.graph.nodes
        if n.op == "placeholder" and n.name == "input_ids"
        for d in n.meta["val"].shape
    }
    assert all(not s.isdigit() for s in symbols), f"input sizes became fixed: {symbols}"
    compare(dict(program.module()(**other).items()), dict(model(**other).items()))


def test_config_errors_name_the_field(case):
    config_class = getattr(isoform, case.header["config_class"])
    with pytest.raises(ConfigError, match="vocab_size"):
        config_class.from_dict({**case.json("config"), "vocab_size": "many"})
    with pytest.raises(ConfigError, match="vocab_size"):
        config_class.from_dict({**case.json("config"), "vocab_size": -3})
    kept = config_class.from_dict({**case.json("config"), "unknown_key": [1, 2]})
    assert kept.unknown_key == [1, 2]
