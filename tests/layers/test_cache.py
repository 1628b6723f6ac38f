"""Caches: growth, sharing, copies, fixed shapes, sinks."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest
import torch

from isoform.cache_utils import DynamicCache, SinkCache, StaticCache
from tests.layers.models import DECODERS, VOCABULARY, decoder

names = pytest.mark.parametrize("name", sorted(DECODERS))


def tokens(batch: int = 2, length: int = 9) -> torch.Tensor:
    return torch.randint(0, VOCABULARY, (batch, length), generator=torch.Generator().manual_seed(1))


def states(length: int, start: int = 0) -> torch.Tensor:
    """`(1, 1, length, 1)` that counts from `start`."""
    return torch.arange(start, start + length, dtype=torch.float32).view(1, 1, length, 1)


def held(cache: DynamicCache, layer: int = 0) -> list[float]:
    return cache[layer][0].flatten().tolist()


def assert_close(got: torch.Tensor, want: torch.Tensor) -> None:
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("capacity", [None, 2, 5, 100])
def test_update_appends_and_returns_all(capacity):
    cache = DynamicCache(capacity)
    total = 0
    for new in (3, 1, 1, 70, 2):
        for layer in range(2):
            keys, values = cache.update(states(new, total), -states(new, total), layer)
            assert keys.flatten().tolist() == list(range(total + new))
            assert torch.equal(values, -keys)
        total += new
        assert cache.get_seq_length() == cache.length == cache.seen_tokens == total
    assert len(cache) == 2 and [held(cache), held(cache, -1)] == [list(range(total))] * 2
    assert [k.shape[2] for k in cache.key_cache] == [v.shape[2] for v in cache.value_cache] == [total, total]
    with pytest.raises(IndexError, match="layer 2"):
        cache[2]


def test_steps_write_in_place():
    cache = DynamicCache(capacity=8)
    cache.update(states(3), states(3), 0)
    before = cache[0][0].data_ptr()
    cache.update(states(1, 3), states(1, 3), 0)
    assert cache[0][0].data_ptr() == before


def test_old_handle_keeps_its_contents():
    first = DynamicCache(capacity=16)
    first.update(states(3), states(3), 0)
    branches = []
    for value in (10, 20, 30):  # continue the same handle three times
        branch = first.fork(1)
        branch.update(states(1, value), states(1, value), 0)
        branch.open = False
        branches.append(branch)
    assert held(first) == [0, 1, 2]
    assert [held(b) for b in branches] == [[0, 1, 2, 10], [0, 1, 2, 20], [0, 1, 2, 30]]


def test_crop_and_reorder():
    two = torch.tensor([1.0, 10.0]).view(2, 1, 1, 1)  # two rows, the second one ten times the first
    older = DynamicCache(capacity=16)
    older.update(states(4) * two, states(4) * two, 0)
    cache = older.fork(2)
    cache.update(states(2, 4) * two, states(2, 4) * two, 0)
    cache.open = False
    twin = copy.copy(cache)
    cache.crop(-1)
    assert cache.length == 5 and cache[0][0].shape[2] == 5
    cache.crop(2)
    cache.update(states(1, 7) * two, states(1, 7) * two, 0)
    cache.crop(99)
    assert cache[0][0][0].flatten().tolist() == [0, 1, 7]
    assert older[0][0][0].flatten().tolist() == [0, 1, 2, 3]  # cropping one handle leaves the others alone
    assert twin[0][0][0].flatten().tolist() == [0, 1, 2, 3, 4, 5]
    swapped = cache.reorder(torch.tensor([1, 0]))
    assert swapped[0][0][0].flatten().tolist() == [0, 10, 70] and cache[0][0][0].flatten().tolist() == [0, 1, 7]
    cache.reorder_cache(torch.tensor([1, 1]))
    assert torch.equal(cache[0][0][0], cache[0][0][1])


def test_crop_within_the_newest_tokens_keeps_the_buffers():
    """As assisted decoding does: rejected candidates cost no copy."""
    older = DynamicCache(capacity=16)
    older.update(states(4), states(4), 0)
    cache = older.fork(3)
    cache.update(states(3, 4), states(3, 4), 0)
    cache.open = False
    cache.crop(5)
    after = cache.fork(1)
    after.update(states(1, 50), states(1, 50), 0)
    assert held(after) == [0, 1, 2, 3, 4, 50] and held(older) == [0, 1, 2, 3]
    assert after[0][0].data_ptr() == older[0][0].data_ptr()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))], ids=["copy", "pickle"])
def test_copies_are_independent(duplicate):
    cache = DynamicCache(capacity=8)
    cache.update(states(3), states(3), 0)
    other = duplicate(cache)
    other.update(states(1, 50), states(1, 50), 0)
    cache.update(states(1, 3), states(1, 3), 0)
    assert held(cache) == [0, 1, 2, 3] and held(other) == [0, 1, 2, 50]


def test_legacy_round_trip():
    legacy = tuple((states(3), -states(3)) for _ in range(2))
    cache = DynamicCache.from_legacy_cache(legacy)
    assert cache.length == 3 and isinstance(cache.to_legacy_cache(), tuple)
    for got, want in zip(cache.to_legacy_cache(), legacy):
        assert all(torch.equal(x, y) for x, y in zip(got, want))
    for layer in range(2):
        cache.update(states(1, 3), states(1, 3), layer)
    assert legacy[0][0].shape[2] == 3 and held(cache) == [0, 1, 2, 3]
    assert DynamicCache.from_legacy_cache(None).length == 0
    leaves, spec = torch.utils._pytree.tree_flatten(cache)
    assert torch.equal(torch.utils._pytree.tree_unflatten(leaves, spec)[0][0], cache[0][0])


def test_inference_then_no_grad():
    model, ids = decoder("LlamaForCausalLM"), tokens()
    with torch.inference_mode():
        past = model(ids[:, :5], use_cache=True).past_key_values
    with torch.no_grad():
        want = model(ids).logits
        one = model(ids[:, 5:7], past_key_values=past)
        two = model(ids[:, 7:], past_key_values=one.past_key_values)
    assert_close(torch.cat((one.logits, two.logits), 1), want[:, 5:])


def test_gradients_flow_through_the_cache():
    model, ids = decoder("GPT2LMHeadModel"), tokens()

    def gradients(loss: torch.Tensor) -> list[torch.Tensor]:
        model.zero_grad()
        loss.backward()
        return [p.grad.clone() for p in model.parameters()]

    want = gradients(model(ids).logits[:, -1].square().sum())
    first = model(ids[:, :4], use_cache=True)
    second = model(ids[:, 4:8], past_key_values=first.past_key_values)
    got = gradients(model(ids[:, 8:], past_key_values=second.past_key_values).logits[:, -1].square().sum())
    for a, b in zip(got, want):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@names
@torch.no_grad()
def test_static_cache_equals_dynamic(name):
    """Also with left padding, and several new tokens at once; all steps have the same shapes."""
    model, ids = decoder(name), tokens(2, 9)
    mask = torch.ones_like(ids)
    mask[0, :3] = 0
    takes_positions = "position_ids" in inspect.signature(type(model).forward).parameters
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    for masked in (False, True):
        extra = {"attention_mask": mask} if masked else {}
        if masked and takes_positions:
            extra["position_ids"] = positions
        want = model(ids, **extra).logits
        heads, size = model(ids, use_cache=True).past_key_values[0][0].shape[1:4:2]
        cache = StaticCache(model.config, 2, 12)
        assert cache[0][0].shape == (2, heads, 12, size)
        padded = torch.cat((mask, torch.ones(2, 3, dtype=torch.long)), 1)
        for begin, end in ((0, 5), (5, 6), (6, 7), (7, 9)):
            step = {"attention_mask": padded} if masked else {}
            if "position_ids" in extra:
                step["position_ids"] = positions[:, begin:end]
            got = model(ids[:, begin:end], past_key_values=cache, use_cache=True, **step).logits
            cache.position += end - begin
            rows = slice(3, None) if masked and begin == 0 else slice(None)  # rows before see nothing but padding
            assert_close(got[:, rows], want[:, begin:end][:, rows])
        assert cache.get_seq_length() == 9 and cache.get_max_length() == 12
        cache.reset()
        assert cache.get_seq_length() == 0


@pytest.mark.parametrize("scaling", ["linear", "dynamic"])
@torch.no_grad()
def test_static_cache_with_rope_scaling(scaling):
    changes = {"rope_scaling": {"type": scaling, "factor": 3.0}, "max_position_embeddings": 4, "num_hidden_layers": 1}
    model, ids = decoder("LlamaForCausalLM", **changes), tokens(1, 8)
    cache, past = StaticCache(model.config, 1, 16), None
    for begin, end in ((0, 5), (5, 6), (6, 8)):
        want = model(ids[:, begin:end], past_key_values=past, use_cache=True)
        got = model(ids[:, begin:end], past_key_values=cache).logits
        past = want.past_key_values
        cache.position += end - begin
        assert_close(got, want.logits)


@pytest.mark.parametrize("name", ["LlamaForCausalLM", "MistralForCausalLM", "PhiForCausalLM", "GPTNeoXForCausalLM"])
@torch.no_grad()
def test_sink_cache_is_attention_over_what_it_kept(name):
    """In a model of one layer the last output depends on the kept tokens alone, numbered from 0."""
    window, sinks = 6, 2
    changes = {"sliding_window": 64} if name.startswith("Mistral") else {}
    model, ids = decoder(name, num_hidden_layers=1, **changes), tokens(2, 14)
    cache, end = SinkCache(window, sinks), 0
    for new in (4, 1, 1, 1, 2, 1, 1, 3):
        got = model(ids[:, end : end + new], past_key_values=cache, use_cache=True).logits
        end += new
        kept = ids[:, :end]
        if end > window:
            kept = torch.cat((ids[:, :sinks], ids[:, end - (window - sinks) : end]), 1)
        assert_close(got[:, -1], model(kept).logits[:, -1])
        assert cache.get_seq_length() == min(end, window) and cache.seen_tokens == end
    inputs = model.prepare_inputs_for_generation(
        ids, past_key_values=cache, attention_mask=torch.ones(2, 15, dtype=torch.long)
    )
    assert inputs["attention_mask"].shape[1] == window


def test_usable_length():
    cache = SinkCache(6, 2)
    cache.update(states(5), states(5), 0)
    assert [cache.get_usable_length(n) for n in (1, 2, 4)] == [5, 4, 2]
    grown = DynamicCache.from_legacy_cache(((states(5), states(5)),))
    assert grown.get_usable_length(100) == 5 and grown.get_max_length() is None
