"""Generation by models with an encoder: the ways of running them agree, and the encoder's keys are made once."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import isoform
from isoform.generation import _native, compiled, loop, steps

BART = {
    "vocab_size": 61,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": 64,
    "forced_eos_token_id": None,
    "init_std": 0.4,
}
MODELS = {
    "T5": {"vocab_size": 61, "d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2,
           "decoder_start_token_id": 0, "relative_attention_num_buckets": 8, "initializer_factor": 2.0},
    "Bart": BART,
    "M2M100": {**BART, "forced_eos_token_id": 2},
    "BlenderbotSmall": BART,
}  # fmt: skip
IDS = torch.tensor([[5, 9, 33, 12, 7, 2], [8, 41, 6, 2, 1, 1]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])
PLAIN: dict[str, Any] = {"max_new_tokens": 9, "min_new_tokens": 9, "do_sample": False}
ALL = {
    "return_dict_in_generate": True,
    "output_scores": True,
    "output_attentions": True,
    "output_hidden_states": True,
}
KINDS: list[dict[str, Any]] = [
    {},
    {"num_beams": 3, "num_return_sequences": 2},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
    {"num_beams": 3, "force_words_ids": [[7, 8]]},
    {"do_sample": True, "top_k": 5},
    {"do_sample": True, "num_beams": 2, "top_k": 5},
    {"decoder_input_ids": torch.tensor([[2, 17, 4], [2, 21, 5]])},
    {"num_beams": 2, "decoder_input_ids": torch.tensor([[17, 4], [1, 5]]),
     "decoder_attention_mask": torch.tensor([[1, 1], [0, 1]])},
]  # fmt: skip


@pytest.fixture(params=MODELS, scope="module")
def model(request: Any) -> Any:
    torch.manual_seed(0)
    config = getattr(isoform, f"{request.param}Config")(**MODELS[request.param])
    return getattr(isoform, f"{request.param}ForConditionalGeneration")(config).eval()


@pytest.fixture
def used(monkeypatch: Any) -> list[Any]:
    """The ways in which models were run."""
    found: list[Any] = []
    init = loop.Decoding.__init__

    def noting(self: Any, model: Any, input_ids: Any, steps: Any, options: Any) -> None:
        found.append(type(steps))
        init(self, model, input_ids, steps, options)

    monkeypatch.setattr(loop.Decoding, "__init__", noting)
    return found


def generate(model: Any, **arguments: Any) -> Any:
    torch.manual_seed(0)
    inputs = {} if "encoder_outputs" in arguments else {"input_ids": IDS}
    return model.generate(**inputs, attention_mask=MASK, **{**PLAIN, **arguments})


def through_hooks(model: Any, monkeypatch: Any) -> None:
    """Make generation use the documented hooks, as it does for models that override them."""
    monkeypatch.setattr(model, "_reorder_cache", lambda past, rows: past.reorder(rows), raising=False)
    monkeypatch.setattr(
        model, "_update_model_kwargs_for_generation", model._update_model_kwargs_for_generation, raising=False
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: ",".join(kind) or "greedy")
def test_prepared_steps_equal_the_hooks(model: Any, kind: Any, used: list[Any], monkeypatch: Any) -> None:
    got = generate(model, **kind, return_dict_in_generate=True, output_scores=True)
    through_hooks(model, monkeypatch)
    want = generate(model, **kind, return_dict_in_generate=True, output_scores=True)
    assert used == [steps.EncoderDecoderSteps, steps.ProtocolSteps]
    assert torch.equal(got.sequences, want.sequences)
    torch.testing.assert_close(got.scores, want.scores, rtol=0, atol=1e-5)


@pytest.mark.skipif(not _native.available(), reason="there is no C++ compiler")
@pytest.mark.filterwarnings("ignore")
def test_compiled_steps(model: Any, used: list[Any]) -> None:
    if model.config.model_type not in ("t5", "m2m_100"):
        pytest.skip("as M2M100, and compiling takes seconds")
    beams = {**PLAIN, "num_beams": 2}
    want = generate(model, **beams)
    assert torch.equal(generate(model, **beams, compile_decoding=True), want)
    assert used[-1] is compiled.CompiledEncoderDecoderSteps
    # A longer source has the same program: there is room.
    source = torch.randint(3, 60, (2, 20), generator=torch.Generator().manual_seed(1))
    want = model.generate(source, **beams)
    assert torch.equal(model.generate(source, compile_decoding=True, **beams), want)
    assert len(compiled.programs_of(model)) == 1


def test_recorded(model: Any) -> None:
    result = generate(model, **ALL)
    heads = model.config.num_attention_heads
    layers = len(result.encoder_attentions)
    assert len(result.encoder_hidden_states) == layers + 1 and result.encoder_attentions[0].shape == (2, heads, 6, 6)
    assert len(result.decoder_attentions) == len(result.cross_attentions) == len(result.scores) == 9
    for step, (own, cross, hidden) in enumerate(
        zip(result.decoder_attentions, result.cross_attentions, result.decoder_hidden_states)
    ):
        assert own[0].shape[2:] == (1, step + 1) and cross[0].shape[2:] == (1, 6)
        assert hidden[0].shape == (2, 1, 16) and len(hidden) == len(own) + 1
        assert (cross[0][1, ..., 4:] == 0).all()  # padding of the source
    # The cache reads as the documented nested tuple, and so it does for beams.
    for past, rows in ((result.past_key_values, 2), (generate(model, num_beams=3, **ALL).past_key_values, 6)):
        for layer in past:
            assert [x.shape[0] for x in layer] == [rows] * 4
            assert [x.shape[2] for x in layer] == [9, 9, 6, 6]


def test_the_encoders_keys_are_made_once(model: Any, monkeypatch: Any) -> None:
    made: list[int] = []
    cross = [m for name, m in model.named_modules() if name.endswith(("encoder_attn", "EncDecAttention"))]
    for module in cross:
        keys = module.keys
        monkeypatch.setattr(module, "keys", lambda x, keys=keys: made.append(x.shape[0]) or keys(x))
    generate(model)
    assert made == [2] * len(cross)
    made.clear()
    generate(model, num_beams=4)
    assert made == [2] * len(cross)  # once a text, not once a beam


def test_encoder_outputs_as_input(model: Any) -> None:
    want = generate(model)
    outputs = model.get_encoder()(IDS, attention_mask=MASK)
    assert torch.equal(generate(model, encoder_outputs=outputs), want)


@torch.no_grad()
def test_cache_of_another_text_is_not_mixed_up(model: Any) -> None:
    """An empty cache that a pass has filled serves a second text with the second text's encoder states."""
    start = torch.full((2, 1), model.config.decoder_start_token_id)
    cache = isoform.DynamicCache(capacity=8)
    for ids in (IDS, IDS.flip(1)):
        fresh = model(input_ids=ids, decoder_input_ids=start).logits
        again = model(input_ids=ids, decoder_input_ids=start, past_key_values=cache, use_cache=True).logits
        torch.testing.assert_close(again, fresh, rtol=0, atol=1e-5)


def test_assisted(model: Any) -> None:
    """A helper, here the model itself and one that knows nothing, changes the speed only."""
    torch.manual_seed(1)
    stranger = type(model)(model.config).eval()
    inputs = {"input_ids": IDS[:1], "attention_mask": MASK[:1], **PLAIN}
    want = model.generate(**inputs)
    for assistant in (model, stranger):
        assert torch.equal(model.generate(**inputs, assistant_model=assistant), want)


def test_contrastive(model: Any, monkeypatch: Any) -> None:
    options = {"penalty_alpha": 0.5, "top_k": 3}
    want = generate(model, **options)
    assert torch.equal(generate(model, **options, low_memory=True), want)
