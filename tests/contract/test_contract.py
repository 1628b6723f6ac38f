"""Properties that every architecture has, each written once and run for every class with a golden case."""

from __future__ import annotations

import functools
import inspect
import math
from typing import Any

import numpy
import pytest
import torch

import isoform
from isoform import PreTrainedModel
from isoform.errors import ConfigError
from isoform.heads import LastTokenScore
from tests.contract.test_golden import assert_close
from tests.golden.cases import Case, flatten, paths

# Positions are counted from the first column, padding or not: by design, text padded on the left gives other results.
COUNTS_PADDING = {"bart", "blenderbot-small", "distilbert"}


@pytest.fixture(params=paths(), ids=lambda path: path.stem, scope="module")
def case(request):
    return Case(request.param)


@pytest.fixture
def model(case):
    return case.model()


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    """The named parameters of a forward, without `self` and `**kwargs`."""
    found = inspect.signature(function).parameters
    return {k: p for k, p in found.items() if k != "self" and p.kind is p.POSITIONAL_OR_KEYWORD}


def plain_inputs(case: Case) -> dict[str, Any]:
    """The case's inputs without head masks, padding and flags, which each test adds as it needs them."""
    left_out = ("attention_mask", "decoder_attention_mask")
    return {
        k: v
        for k, v in case.inputs.items()
        if (isinstance(v, torch.Tensor) or k == "interpolate_pos_encoding")
        and k not in left_out
        and not k.endswith("head_mask")
    }


def token_ids(case: Case) -> torch.Tensor:
    """The token ids `(batch, sequence)`; skips classes that take none, or take several texts an example."""
    ids = case.inputs.get("input_ids")
    if ids is None or ids.dim() != 2:
        pytest.skip("no token ids, or several texts an example")
    return ids


def real(ids: torch.Tensor, model: Any) -> torch.Tensor:
    """The ids without padding among them, which positions may skip (RoBERTa)."""
    pad = model.config.pad_token_id
    return ids if pad is None else torch.where(ids == pad, 5, ids)


def in_dtype(inputs: dict, dtype: torch.dtype) -> dict:
    return {k: v.to(dtype) if isinstance(v, torch.Tensor) and v.is_floating_point() else v for k, v in inputs.items()}


def depends_on_length(case: Case) -> bool:
    """Dynamic rotary scaling changes the positions with the length of the whole input, by its definition."""
    return (case.json("config").get("rope_scaling") or {}).get("type") == "dynamic"


def first(output) -> torch.Tensor:
    """The main result of an output: logits, or the last hidden state."""
    return next(v for k, v in flatten(output).items() if k != "loss")


def without_randomness(settings: Any) -> Any:
    """A configuration as a dictionary, with all rates of dropout and dropped layers set to 0."""
    if not isinstance(settings, dict):
        return settings
    return {k: 0.0 if isinstance(v, float) and "drop" in k else without_randomness(v) for k, v in settings.items()}


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
    flags = dict.fromkeys(case.json("output_flags"), True)
    named, plain = model(**case.inputs, **flags), model(**case.inputs, **flags, return_dict=False)
    assert isinstance(plain, tuple)
    compare(dict(enumerate(flatten(plain).values())), dict(enumerate(flatten(named).values())))


@torch.no_grad()
def test_positional_equals_keyword(case, model):
    arguments = [case.inputs.get(name, p.default) for name, p in parameters(case.model_class.forward).items()]
    compare(model(*arguments), model(**case.inputs))
    with pytest.raises(TypeError, match="no_such_input"):
        model(**case.inputs, no_such_input=1)


@torch.no_grad()
def test_fused_equals_explicit(case):
    takes = parameters(case.model_class.forward)
    if "output_attentions" not in takes:
        pytest.skip("no attention")
    eager, fused = case.model(attn_implementation="eager"), case.model(attn_implementation="sdpa")
    for model, name in ((eager, "eager"), (fused, "sdpa")):
        parts = [part for part in model.modules() if isinstance(part, PreTrainedModel)]
        assert {part.config._attn_implementation for part in parts} == {name}
    inputs = plain_inputs(case)
    compare(fused(**inputs), eager(**inputs))
    spine = inputs.get("input_ids", inputs.get("input_values"))
    if spine is None or "attention_mask" not in takes:
        return
    mask = torch.ones(spine.shape, dtype=torch.long)
    mask[..., -max(2, spine.shape[-1] // 3) :] = 0
    inputs["attention_mask"] = mask.flatten(0, -2)
    got, want = first(fused(**inputs)), first(eager(**inputs))
    assert_close("masked", got, want)


def by_steps(case: Case, model: Any) -> tuple[Any, dict[str, torch.Tensor]]:
    """What decodes, and those of its inputs that have the tokens' length."""
    body = model.base_model
    takes = parameters(type(body).forward)
    tensors = {k: v for k, v in plain_inputs(case).items() if k in takes}
    if "input_ids" in tensors:
        tensors["input_ids"] = real(tensors["input_ids"], model)
    if not model.config.is_encoder_decoder:
        fixed = {k: tensors.pop(k) for k in list(tensors) if k.startswith("encoder")}
        return functools.partial(body, **fixed), tensors
    ids = tensors.pop("decoder_input_ids", None)
    if ids is None:  # the ones that shift the encoder's tokens themselves
        ids = tensors["input_ids"].flip(1)
    encoder_outputs = model.get_encoder()(tensors[model.main_input_name])
    return functools.partial(body, encoder_outputs=encoder_outputs), {"decoder_input_ids": ids}


@torch.no_grad()
def test_cached_equals_uncached(case, model):
    takes = parameters(type(model.base_model).forward)
    if not {"past_key_values", "use_cache"} <= takes.keys() or depends_on_length(case):
        pytest.skip("not a class that decodes step by step")
    if not model.config.is_encoder_decoder:
        token_ids(case)
    body, tensors = by_steps(case, model)
    if "past_key_values" not in body(**tensors, use_cache=True):
        pytest.skip("an encoder")

    def result(output) -> torch.Tensor:
        return output["last_hidden_state" if "last_hidden_state" in output else "logits"]

    whole = result(body(**tensors))
    past, pieces = None, []
    for begin, end in ((0, 2), (2, 3), (3, 4), (4, whole.shape[1])):
        output = body(**{k: v[:, begin:end] for k, v in tensors.items()}, past_key_values=past, use_cache=True)
        past = output.past_key_values
        pieces.append(result(output))
    assert_close("cached", torch.cat(pieces, 1), whole)
    # The documented nested tuple works as well, and an old handle can be continued twice.
    head = body(**{k: v[:, :3] for k, v in tensors.items()}, use_cache=True).past_key_values
    for old in (head, tuple(tuple(layer) for layer in head), head):
        assert old[0][0].shape[2] == 3
        rest = result(body(**{k: v[:, 3:] for k, v in tensors.items()}, past_key_values=old))
        assert_close("continued", rest, whole[:, 3:])


@torch.no_grad()
def test_padding_changes_nothing(case, model):
    body, ids = model.base_model, token_ids(case)
    if {"pixel_values", "input_features"} & case.inputs.keys():
        pytest.skip("the text is half of it")
    takes = parameters(type(body).forward)
    rest = {k: v for k, v in plain_inputs(case).items() if k.startswith(("encoder", "decoder")) and k in takes}
    if "decoder_input_ids" in takes:
        rest.setdefault("decoder_input_ids", ids)  # some heads take the input's, which will be padded here
    output = body(input_ids=ids, **rest)
    if "last_hidden_state" not in output or "attention_mask" not in takes or depends_on_length(case):
        pytest.skip("positions of a padded input differ by design, or no states of a text")
    want, decoded = output.last_hidden_state, model.config.is_encoder_decoder
    pad = torch.full((ids.shape[0], 3), model.config.pad_token_id or 0, dtype=ids.dtype)
    mask = torch.cat((torch.zeros_like(pad), torch.ones_like(ids)), 1)
    right = body(input_ids=torch.cat((ids, pad), 1), attention_mask=mask.flip(1), **rest).last_hidden_state
    assert_close("right", right if decoded else right[:, :-3], want)
    if model.config.model_type in COUNTS_PADDING:
        return
    if "position_ids" in takes:
        from_zero = torch.arange(ids.shape[1]).expand_as(ids)
        # Where they do not count from zero (RoBERTa), they are derived from the ids and so know padding already.
        if torch.equal(body(input_ids=ids, position_ids=from_zero, **rest).last_hidden_state, want):
            rest["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    left = body(input_ids=torch.cat((pad, ids), 1), attention_mask=mask, **rest).last_hidden_state
    assert torch.isfinite(left).all()
    assert_close("left", left if decoded else left[:, 3:], want)


@torch.no_grad()
def test_inputs_embeds(case, model):
    inputs, ids = plain_inputs(case), token_ids(case)
    takes = parameters(case.model_class.forward)
    if "inputs_embeds" not in takes or "mc_token_ids" in inputs or isinstance(model, LastTokenScore):
        pytest.skip("needs the token ids")
    if model.config.is_encoder_decoder and "SequenceClassification" in str(case):
        pytest.skip("needs the token ids")
    inputs["input_ids"] = ids = real(ids, model)
    embedded = model.get_input_embeddings()(ids)
    if getattr(model.config, "scale_embedding", False):
        embedded = embedded * math.sqrt(model.config.d_model)
    rest = {k: v for k, v in inputs.items() if k != "input_ids"}
    compare(model(inputs_embeds=embedded, **rest), model(**inputs))
    with pytest.raises(ValueError, match="input_ids"):
        model(**rest)


def test_gradient_checkpointing(case):
    if not case.json("loss") or not case.model_class.supports_gradient_checkpointing:
        pytest.skip("the class has no loss, or does not support it")
    model = case.model(**without_randomness(case.json("config"))).train()

    def gradients() -> dict[str, torch.Tensor]:
        model.zero_grad()
        torch.manual_seed(0)
        numpy.random.seed(0)
        model(**case.inputs, **case.labels).loss.backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    want = gradients()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    assert model.is_gradient_checkpointing
    compare(gradients(), want)
    model.gradient_checkpointing_disable()
    assert not model.is_gradient_checkpointing


@torch.no_grad()
def test_resize_embeddings(case, model):
    if "input_ids" not in case.inputs or "vocab_size" not in model.config.to_dict():
        pytest.skip("no vocabulary, or one of a part of the model")
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
    takes = parameters(case.model_class.forward)
    if not hasattr(model.base_model, "_prune_heads") or "head_mask" not in takes:
        pytest.skip("the architecture does not document pruning")
    heads, layers = model.config.num_attention_heads, model.config.num_hidden_layers
    if not isinstance(heads, int):
        pytest.skip("stages of different numbers of heads")
    mask = torch.ones(layers, heads)
    inputs = {k: v for k, v in plain_inputs(case).items() if not k.startswith("encoder")}  # of self-attention
    if "decoder_head_mask" in takes:
        inputs["decoder_head_mask"] = torch.ones(getattr(model.config, "num_decoder_layers", layers), heads)
    mask[0, 1] = 0
    want = first(model(**inputs, head_mask=mask))
    model.prune_heads({0: [1]})
    assert_close("pruned", first(model(**{k: v for k, v in inputs.items() if k != "decoder_head_mask"})), want)


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision(case, model, dtype):
    inputs = in_dtype(case.inputs, dtype)
    got = first(model.to(dtype)(**inputs)).float()
    assert torch.isfinite(got).all()
    if not isinstance(case.inputs.get("attention_mask"), torch.Tensor):
        # Against float32 with the same rounded weights and inputs: 8 and 11 bits of mantissa over two layers, a few
        # units in the last place of the largest element. BiT's standardised convolutions add to that, in the
        # reference as well.
        want = first(model.float()(**in_dtype(inputs, torch.float32)))
        bound = 0.01 if dtype is torch.float16 else 0.1 if case.header["class"].startswith("Bit") else 0.06
        assert float((got - want).abs().max()) <= bound * max(1, want.abs().max())


TEXT = ("input_ids", "token_type_ids", "attention_mask")  # what the names of inputs of a text's length end with


def export_inputs(case: Case) -> dict[str, Any]:
    """The case's inputs with masks that hide nothing."""
    takes = parameters(case.model_class.forward)
    left_out = ("position_ids", "encoder_hidden_states", "encoder_attention_mask")
    inputs = {k: v for k, v in plain_inputs(case).items() if k not in left_out}
    for side in ("", "decoder_"):
        ids, mask = inputs.get(f"{side}input_ids"), f"{side}attention_mask"
        if ids is not None and ids.dim() == 2 and mask in takes:
            inputs[mask] = torch.ones_like(ids)
    if "use_cache" in takes:
        inputs["use_cache"] = False
    return inputs


def grown(inputs: dict[str, Any], sizes: bool) -> dict[str, Any]:
    """A batch of one more example, longer texts and, if `sizes`, larger pictures and longer recordings."""
    other = dict(inputs)
    for name, value in inputs.items():
        if not isinstance(value, torch.Tensor):
            continue
        if "input_ids" in inputs and name.endswith(TEXT):
            value = torch.cat((value, value[..., : 2 if name.startswith("decoder") else 3]), -1)
        elif name == "decoder_input_ids" or name == "decoder_attention_mask":
            value = torch.cat((value, value[..., :2]), -1)
        elif sizes:
            value = torch.cat((value, value), 2 if value.dim() == 4 else -1)
        other[name] = torch.cat((value, value[:1]))
    return other


def takes_other_sizes(model: Any, inputs: dict[str, Any]) -> bool:
    """Whether pictures may be larger than configured, or recordings longer."""
    if not inputs.keys() & {"pixel_values", "input_values", "input_features"} or "bool_masked_pos" in inputs:
        return False
    try:
        model(**grown(inputs, sizes=True))
    except (ValueError, RuntimeError):
        return False
    return True


@torch.no_grad()
def test_exports_with_dynamic_shapes(case, model):
    inputs, auto = export_inputs(case), torch.export.Dim.AUTO
    sizes = takes_other_sizes(model, inputs)
    if sizes:  # torch takes a feature map of one pixel for one of fixed size: give it a larger example
        inputs = grown(inputs, sizes)
    shapes: dict[str, Any] = {}
    for name, value in inputs.items():
        dims = range(value.dim()) if isinstance(value, torch.Tensor) else ()
        if value is not None and not name.endswith(TEXT) and name != "mc_token_ids":
            dims = [d for d in dims if d == 0 or (sizes and (d > 1 or len(dims) < 3))]
            if name == "input_features":  # the number of mel filters is the model's
                dims = [d for d in dims if d != value.dim() - 1]
        shapes[name] = dict.fromkeys(dims, auto) if dims else None
    program = torch.export.export(model, (), inputs, dynamic_shapes=shapes)
    placeholders = {n.name: n.meta["val"] for n in program.graph.nodes if n.op == "placeholder"}
    for name, dims in shapes.items():
        if name in placeholders and dims and not name.endswith("mc_token_ids"):
            fixed = {d for d in dims if str(placeholders[name].shape[d]).isdigit()}
            assert not fixed, f"{name}: dimensions {fixed} became fixed"
    other = grown(inputs, sizes)
    compare(dict(program.module()(**other).items()), dict(model(**other).items()))


def test_config_errors_name_the_field(case):
    config_class = getattr(isoform, case.header["config_class"])
    kept = config_class.from_dict({**case.json("config"), "unknown_key": [1, 2]})
    assert kept.unknown_key == [1, 2]
    names = ("vocab_size", "num_channels", "hidden_size", "projection_dim")
    name = next((name for name in names if name in config_class._fields), None)
    if name is None:
        return  # a combination of other configurations
    with pytest.raises(ConfigError, match=name):
        config_class.from_dict({**case.json("config"), name: "many"})
    with pytest.raises(ConfigError, match=name):
        config_class.from_dict({**case.json("config"), name: -3})
