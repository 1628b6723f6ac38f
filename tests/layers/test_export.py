"""One graph for all sizes: prompts, decoding steps with the cache as an input, embeddings as inputs."""

from __future__ import annotations

import pytest
import torch

from tests.layers.models import DECODERS, VOCABULARY, decoder

AUTO = torch.export.Dim.AUTO
names = pytest.mark.parametrize("name", sorted(DECODERS))


def tokens(batch: int, length: int) -> torch.Tensor:
    return torch.randint(0, VOCABULARY, (batch, length), generator=torch.Generator().manual_seed(batch * length))


def dynamic(value):
    """`Dim.AUTO` for the axes that vary: batch and positions."""
    if isinstance(value, torch.Tensor):
        return {0: AUTO, (2 if value.dim() == 4 else 1): AUTO}
    return tuple(dynamic(x) for x in value) if isinstance(value, tuple) else None


def export(model, **inputs):
    shapes = {name: dynamic(value) for name, value in inputs.items()}
    with torch.no_grad():
        return torch.export.export(model, (), inputs, dynamic_shapes=shapes).module()


def past_of(model, batch: int, length: int):
    with torch.no_grad():
        past = model(tokens(batch, length), use_cache=True).past_key_values
    return tuple(tuple(x.clone() for x in layer) for layer in past)


@names
@torch.no_grad()
def test_decoding_step(name):
    """Several new tokens after a prompt, the cache as the documented nested tuple."""
    model = decoder(name)

    def step(batch: int, seen: int, new: int):
        mask = torch.ones(batch, seen + new, dtype=torch.long)
        mask[0, :2] = 0
        return {"input_ids": tokens(batch, new), "attention_mask": mask, "past_key_values": past_of(model, batch, seen)}

    exported = export(model, **step(2, 5, 3), use_cache=True)
    for sizes in ((3, 7, 2), (4, 3, 6)):
        inputs = step(*sizes)
        got, want = exported(**inputs, use_cache=True), model(**inputs, use_cache=True)
        torch.testing.assert_close(got.logits, want.logits, rtol=1e-5, atol=1e-5)
        assert len(got.past_key_values) == len(want.past_key_values) == 2
        for a, b in zip(got.past_key_values, want.past_key_values):
            torch.testing.assert_close(tuple(a), tuple(b), rtol=1e-5, atol=1e-5)


@names
@torch.no_grad()
def test_one_token_step(name):
    """The usual step of generation, its one new position fixed in the graph."""
    model = decoder(name)
    shapes = {"input_ids": {0: AUTO}, "past_key_values": dynamic(past_of(model, 2, 5)), "use_cache": None}
    inputs = {"input_ids": tokens(2, 1), "past_key_values": past_of(model, 2, 5), "use_cache": True}
    exported = torch.export.export(model, (), inputs, dynamic_shapes=shapes).module()
    other = {"input_ids": tokens(3, 1), "past_key_values": past_of(model, 3, 8), "use_cache": True}
    torch.testing.assert_close(exported(**other).logits, model(**other).logits, rtol=1e-5, atol=1e-5)


@names
@torch.no_grad()
def test_embeddings_as_inputs(name):
    model = decoder(name)

    def inputs(batch: int, length: int):
        embedded = model.get_input_embeddings()(tokens(batch, length))
        return {"inputs_embeds": embedded, "attention_mask": torch.ones(batch, length, dtype=torch.long)}

    exported = export(model, **inputs(2, 5), use_cache=False)
    other = inputs(3, 8)
    torch.testing.assert_close(
        exported(**other, use_cache=False).logits, model(**other, use_cache=False).logits, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("name", ["GPT2LMHeadModel", "LlamaForCausalLM"])
def test_compiles_as_one_graph(name):
    """Forward and loss, traced whole: no part falls back to Python."""
    model, ids = decoder(name), tokens(2, 6)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    got, want = compiled(ids, labels=ids), model(ids, labels=ids)
    torch.testing.assert_close(got.loss, want.loss)
    torch.testing.assert_close(got.logits, want.logits)
    got.loss.backward()
    assert all(p.grad is not None for p in model.parameters())
