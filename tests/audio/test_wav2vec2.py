"""Wav2Vec2: adapters of languages, spellings of weights, masking, fast convolutions, and learning to hear tones."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import isoform
from isoform.errors import CheckpointError, ConfigError
from isoform.layers.convolution import strided_conv1d
from isoform.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices, _sample_negative_indices

TINY = {
    "vocab_size": 8,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "conv_dim": [8, 8],
    "conv_kernel": [8, 3],
    "conv_stride": [4, 2],
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "layerdrop": 0.0,
}
LANGUAGES = {**TINY, "do_stable_layer_norm": True, "feat_extract_norm": "layer", "adapter_attn_dim": 6}


@pytest.fixture
def sound():
    return torch.randn(2, 400, generator=torch.Generator().manual_seed(0))


def tiny(head: str = "ForCTC", **changes):
    torch.manual_seed(0)
    config = isoform.Wav2Vec2Config(**{**TINY, **changes})
    return getattr(isoform, f"Wav2Vec2{head}")(config).eval()


# ---- adapters of languages ----


@pytest.fixture
def checkpoint(tmp_path):
    """A multilingual model, with the adapter of a language of 5 tokens and one in the older format."""
    model = tiny(**LANGUAGES)
    model.save_pretrained(tmp_path)
    weights = {name: torch.randn_like(p) for name, p in model._get_adapters().items()}
    weights["lm_head.weight"], weights["lm_head.bias"] = torch.randn(5, 16), torch.randn(5)
    save_file(weights, tmp_path / "adapter.fra.safetensors")
    torch.save({name: p + 1 for name, p in model._get_adapters().items()}, tmp_path / "adapter.deu.bin")
    return tmp_path


def test_target_language_is_loaded_with_the_model(checkpoint, sound):
    plain = isoform.Wav2Vec2ForCTC.from_pretrained(checkpoint)
    model = isoform.Wav2Vec2ForCTC.from_pretrained(checkpoint, target_lang="fra", ignore_mismatched_sizes=True)
    expected = load_file(checkpoint / "adapter.fra.safetensors")
    assert model.target_lang == "fra" and model.config.vocab_size == 5
    assert all(torch.equal(p, expected[name]) for name, p in model._get_adapters().items())
    assert model(sound).logits.shape[-1] == 5
    plain.load_adapter("fra")
    assert torch.equal(plain(sound).logits, model(sound).logits)
    plain.load_adapter("deu")  # back to 8 tokens
    assert plain.lm_head.weight.shape[0] == plain.config.vocab_size == 8


def test_a_model_is_told_apart_from_its_adapter(checkpoint):
    assert len(tiny(**LANGUAGES)._get_adapters()) == 2 + 2 * 6
    with pytest.raises(OSError, match=r"adapter\.xyz"):
        isoform.Wav2Vec2ForCTC.from_pretrained(checkpoint).load_adapter("xyz")
    with pytest.raises(OSError, match=r"adapter\.deu\.safetensors"):
        isoform.Wav2Vec2ForCTC.from_pretrained(checkpoint).load_adapter("deu", use_safetensors=True)
    with pytest.raises(ValueError, match="adapter_attn_dim"):
        tiny().load_adapter("fra")
    with pytest.raises(ValueError, match="adapter_attn_dim"):
        isoform.Wav2Vec2ForCTC(isoform.Wav2Vec2Config(**TINY), target_lang="fra")


def test_broken_adapters_are_named(checkpoint):
    path = checkpoint / "adapter.fra.safetensors"
    weights = load_file(path)
    model = isoform.Wav2Vec2ForCTC.from_pretrained(checkpoint)
    missing = weights.pop("lm_head.bias")
    save_file(weights, path)
    with pytest.raises(CheckpointError, match=r"adapter\.fra.*lm_head\.bias"):
        model.load_adapter("fra")
    save_file({**weights, "lm_head.bias": missing, "more": missing.clone()}, path)
    with pytest.raises(CheckpointError, match="more"):
        model.load_adapter("fra")
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(CheckpointError, match=r"adapter\.fra"):
        model.load_adapter("fra")


def test_init_adapter_layers(checkpoint):
    model = isoform.Wav2Vec2ForCTC.from_pretrained(checkpoint)
    before = {name: p.clone() for name, p in model.named_parameters()}
    model.init_adapter_layers()
    changed = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert changed and changed <= set(model._get_adapters())


# ---- weights ----


@torch.no_grad()
def test_older_names_of_weight_norm_load(tmp_path, sound):
    model = tiny("Model")
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    stem = "encoder.pos_conv_embed.conv."
    for new, old in (
        ("parametrizations.weight.original0", "weight_g"),
        ("parametrizations.weight.original1", "weight_v"),
    ):
        weights[stem + old] = weights.pop(stem + new)
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    loaded, info = isoform.Wav2Vec2Model.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert torch.equal(loaded(sound).last_hidden_state, model(sound).last_hidden_state)


@torch.no_grad()
def test_copies_and_pickles(sound):
    model = tiny("Model")
    want = model(sound).last_hidden_state
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(sound).last_hidden_state, want)


def test_weight_norm_equals_torch():
    model = tiny("Model")
    conv = model.encoder.pos_conv_embed.conv
    plain = torch.nn.Conv1d(16, 16, 8, padding=4, groups=2)
    normed = torch.nn.utils.parametrizations.weight_norm(plain, dim=2)
    assert {name: p.shape for name, p in normed.named_parameters()} == {n: p.shape for n, p in conv.named_parameters()}
    normed.load_state_dict(conv.state_dict())
    x = torch.randn(2, 16, 9)
    torch.testing.assert_close(conv(x), normed(x))


def test_freezing():
    model = tiny()
    model.freeze_feature_encoder()
    assert not any(p.requires_grad for p in model.wav2vec2.feature_extractor.parameters())
    assert all(p.requires_grad for p in model.wav2vec2.encoder.parameters())
    model.freeze_base_model()
    assert {n for n, p in model.named_parameters() if p.requires_grad} == {"lm_head.weight", "lm_head.bias"}
    with pytest.warns(FutureWarning, match="freeze_feature_encoder"):
        model.freeze_feature_extractor()


# ---- what is computed ----


@torch.no_grad()
@pytest.mark.parametrize("width, stride", [(10, 5), (3, 2), (2, 2), (8, 3), (2, 3), (1, 1)])
@pytest.mark.parametrize("bias", [True, False])
def test_products_equal_convolutions(width, stride, bias):
    for channels, length in ((1, 57), (6, 41), (6, width)):
        conv, x = torch.nn.Conv1d(channels, 5, width, stride, bias=bias), torch.randn(2, channels, length) + 1
        torch.testing.assert_close(strided_conv1d(x, conv), conv(x), rtol=1e-5, atol=1e-5)
    norm, conv = torch.nn.GroupNorm(5, 5), torch.nn.Conv1d(1, 5, width, stride, bias=bias)
    norm.weight.normal_(), norm.bias.normal_()
    x = torch.randn(2, 1, 300) * torch.tensor([1e-2, 30.0])[:, None, None] + 2
    torch.testing.assert_close(strided_conv1d(x, conv, norm), norm(conv(x)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("norm", ["group", "layer"])
def test_inference_equals_training_path(norm, sound):
    model = tiny("Model", feat_extract_norm=norm, conv_bias=norm == "layer")
    with torch.no_grad():
        fast = model(sound).last_hidden_state
    torch.testing.assert_close(fast, model(sound).last_hidden_state.detach(), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_padding_changes_nothing_with_layer_norm(sound):
    model = tiny("Model", feat_extract_norm="layer", do_stable_layer_norm=True)
    want = model(sound).last_hidden_state
    mask = torch.ones(2, 700, dtype=torch.long)
    mask[:, 400:] = 0
    got = model(torch.nn.functional.pad(sound, (0, 300)), attention_mask=mask).last_hidden_state
    torch.testing.assert_close(got[:, : want.shape[1]], want, rtol=1e-5, atol=1e-5)


def test_lengths():
    model = tiny(add_adapter=True, num_adapter_layers=2)
    assert model._get_feat_extract_output_lengths(400, add_adapter=False) == 49
    assert model._get_feat_extract_output_lengths(400) == 13
    assert model._get_feat_extract_output_lengths(torch.tensor([400, 100])).tolist() == [13, 3]
    assert model(torch.zeros(1, 400)).logits.shape[1] == 13


def test_rows_shorter_than_a_span_are_masked_in_padding_only():
    mask = torch.zeros(2, 20, dtype=torch.long)
    mask[0, :3], mask[1] = 1, 1
    np.random.seed(0)
    spans = _compute_mask_indices((2, 20), 0.5, 5, mask, min_masks=1)
    assert not spans[0, :3].any() and spans[1].any()
    with pytest.raises(ValueError, match="mask_length"):
        _compute_mask_indices((1, 4), 0.5, 5)


def test_negatives_are_masked_positions_of_the_same_row():
    chosen = np.random.RandomState(0).rand(3, 20) < 0.5
    found = _sample_negative_indices((3, 20), 7, chosen)
    for row, position in zip(*np.nonzero(chosen), strict=True):
        others = found[row, position] - row * 20
        assert chosen[row][others].all() and position not in others


def test_label_out_of_vocabulary(sound):
    with pytest.raises(ValueError, match="vocab_size: 8"):
        tiny()(sound, labels=torch.tensor([[1, 8], [2, 3]]))


WRONG = [
    ({"conv_stride": [4]}, "conv_dim"),
    ({"conv_kernel": [8, "3"]}, "conv_kernel"),
    ({"hidden_size": 15}, "hidden_size"),
]


@pytest.mark.parametrize("changes, field", WRONG)
def test_config_errors(changes, field):
    with pytest.raises(ConfigError, match=field):
        isoform.Wav2Vec2Config(**{**TINY, **changes})


def test_masking_needs_training(sound):
    model = tiny("Model", mask_time_prob=0.5, mask_time_length=4, mask_feature_prob=0.3, mask_feature_length=4)
    states = torch.randn(2, 30, 16)
    assert torch.equal(model._mask_hidden_states(states), states)
    np.random.seed(0)
    masked = model.train()._mask_hidden_states(states)
    assert (masked == model.masked_spec_embed).all(-1).any() or (masked == 0).any(1).any()
    model.config.apply_spec_augment = False
    assert torch.equal(model._mask_hidden_states(states), states)


# ---- real use ----

NOTES = {"a": 300.0, "e": 700.0, "o": 1500.0}


def melody(notes: str, seed: int = 0) -> np.ndarray:
    """A tone for each note, 40 ms at 4 kHz, with silence between."""
    noise, time = np.random.RandomState(seed), np.arange(160) / 4000
    parts = [np.zeros(60)]
    for note in notes:
        parts += [np.sin(2 * np.pi * NOTES[note] * time + noise.rand() * 6), np.zeros(60)]
    wave = np.concatenate(parts)
    return (wave + 0.02 * noise.randn(len(wave))).astype(np.float32)


def test_learns_to_write_down_tones(tmp_path):
    """From the vocabulary to saved processor and model: trained on melodies, it reads ones that it never heard."""
    vocabulary = {token: i for i, token in enumerate(("<pad>", "<s>", "</s>", "<unk>", "|", *NOTES))}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    tokenizer = isoform.Wav2Vec2CTCTokenizer(tmp_path / "vocab.json")
    extractor = isoform.Wav2Vec2FeatureExtractor(sampling_rate=4000, return_attention_mask=True)
    processor = isoform.Wav2Vec2Processor(extractor, tokenizer)
    convolutions = {"conv_dim": [32, 32, 32], "conv_kernel": [16, 4, 4], "conv_stride": [8, 2, 2]}
    norms = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
    changes = {"vocab_size": len(vocabulary), "hidden_size": 32, "num_hidden_layers": 1, "mask_time_prob": 0.0}
    dropouts = dict.fromkeys(("hidden_dropout", "activation_dropout", "attention_dropout", "final_dropout"), 0.0)
    model = tiny("ForCTC", **changes, **convolutions, **norms, **dropouts, ctc_loss_reduction="mean").train()
    choose = np.random.RandomState(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for step in range(200):
        texts = ["".join(choose.choice(list(NOTES), choose.randint(1, 4))) for _ in range(16)]
        sounds = [melody(text, step * 16 + i) for i, text in enumerate(texts)]
        batch = processor(sounds, text=texts, sampling_rate=4000, padding=True, return_tensors="pt")
        batch["labels"] = batch["labels"].masked_fill(batch["labels"] == tokenizer.pad_token_id, -100)
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    processor.save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    loaded, reader = isoform.AutoModelForCTC.from_pretrained(tmp_path), isoform.AutoProcessor.from_pretrained(tmp_path)
    unheard = ["aeo", "oo", "eaa", "o", "oea", "aoe"]
    inputs = reader([melody(text, 10**6 + i) for i, text in enumerate(unheard)], sampling_rate=4000, padding=True,
                    return_tensors="pt")  # fmt: skip
    with torch.no_grad():
        ids = loaded(**inputs).logits.argmax(-1)
    real = loaded._get_feature_vector_attention_mask(ids.shape[1], inputs["attention_mask"])
    ids = ids.masked_fill(~real, tokenizer.pad_token_id)  # what is heard in padding was never trained
    found = reader.batch_decode(ids, output_char_offsets=True)
    assert found.text == unheard
    seconds = [entry["start_offset"] * loaded.config.inputs_to_logits_ratio / 4000 for entry in found.char_offsets[0]]
    assert all(abs(got - want) < 0.05 for got, want in zip(seconds, (0.015, 0.07, 0.125), strict=True))
