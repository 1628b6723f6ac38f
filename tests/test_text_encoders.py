"""Text encoders: checkpoints as the Hub has them, decoder mode, and what the contract tests do not reach."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

import isoform
from isoform import (
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    AutoModelForTextEncoding,
    BertConfig,
    BertForMaskedLM,
    BertForNextSentencePrediction,
    BertForPreTraining,
    BertLMHeadModel,
    BertModel,
    DistilBertConfig,
    DistilBertForMaskedLM,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaModel,
)
from isoform.cache_utils import StaticCache
from isoform.errors import ConfigError
from isoform.models.roberta.modeling_roberta import create_position_ids_from_input_ids

SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "max_position_embeddings": 24,
}
IDS = torch.tensor([[7, 9, 11, 13, 15], [8, 10, 12, 14, 16]])


@pytest.fixture
def old_checkpoint(tmp_path):
    """A checkpoint as those of 2018: gamma and beta, position ids, one bias instead of two."""
    model = BertForPreTraining(BertConfig(**SIZES)).eval()
    state = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in model.state_dict().items()
        if name != "cls.predictions.decoder.bias"
    }
    state["bert.embeddings.position_ids"] = torch.arange(24)[None]
    torch.save(state, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text(json.dumps(model.config.to_dict()))
    return model, tmp_path


def test_old_checkpoints(old_checkpoint):
    model, folder = old_checkpoint
    loaded, info = BertForPreTraining.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    want = model.state_dict()
    assert all(torch.equal(value, want[name]) for name, value in loaded.state_dict().items())
    head = loaded.cls.predictions
    assert head.decoder.bias is head.bias and head.decoder.weight is loaded.bert.embeddings.word_embeddings.weight
    for cls in (BertForMaskedLM, BertModel):
        info = cls.from_pretrained(folder, output_loading_info=True)[1]
        assert not info["missing_keys"] and not any("position_ids" in key for key in info["unexpected_keys"])


def test_shared_weights_are_saved_once(tmp_path):
    BertForMaskedLM(BertConfig(**SIZES)).save_pretrained(tmp_path)
    names = load_file(tmp_path / "model.safetensors").keys()
    assert "cls.predictions.bias" in names and not any("predictions.decoder" in name for name in names)


@pytest.mark.parametrize("tied", [True, False])
def test_resized_vocabulary_survives_saving(tied, tmp_path):
    model = BertForMaskedLM(BertConfig(**SIZES, tie_word_embeddings=tied))
    model.resize_token_embeddings(60)
    head = model.cls.predictions
    assert head.bias is head.decoder.bias and head.bias.shape == (60,)
    model.save_pretrained(tmp_path)
    loaded, info = BertForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in model.state_dict().items())


def test_auto_classes(tmp_path):
    BertForPreTraining(BertConfig(**SIZES)).save_pretrained(tmp_path)
    assert type(AutoModelForPreTraining.from_pretrained(tmp_path)) is BertForPreTraining
    assert type(AutoModelForMaskedLM.from_pretrained(tmp_path)) is BertForMaskedLM
    assert type(AutoModelForTextEncoding.from_pretrained(tmp_path)) is BertModel


def test_next_sentence_label_is_an_older_name():
    model = BertForNextSentencePrediction(BertConfig(**SIZES)).eval()
    labels = torch.tensor([0, 1])
    assert torch.equal(model(IDS, next_sentence_label=labels).loss, model(IDS, labels=labels).loss)


def test_without_pooler():
    assert BertModel(BertConfig(**SIZES), add_pooling_layer=False).eval()(IDS).pooler_output is None


def test_an_encoder_sees_the_future_and_caches_nothing():
    model = BertModel(BertConfig(**SIZES)).eval()
    output = model(IDS, use_cache=True, encoder_hidden_states=torch.zeros(2, 3, 16))
    assert "past_key_values" not in output
    changed = IDS.clone()
    changed[:, -1] = 20
    assert not torch.allclose(model(changed).last_hidden_state[:, 0], output.last_hidden_state[:, 0])


@pytest.mark.parametrize("kind", ["absolute", "relative_key", "relative_key_query"])
@torch.no_grad()
def test_a_decoder_generates_as_without_a_cache(kind):
    config = BertConfig(
        **SIZES, is_decoder=True, add_cross_attention=True, position_embedding_type=kind, initializer_range=0.5
    )
    model = BertLMHeadModel(config).eval()
    states, mask = torch.randn(2, 4, 16), torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    across = {"encoder_hidden_states": states, "encoder_attention_mask": mask}
    want = IDS
    for _ in range(5):
        want = torch.cat((want, model(want, **across).logits[:, -1:].argmax(-1)), 1)
    got = model.generate(
        IDS, **across, max_new_tokens=5, do_sample=False, pad_token_id=0, attention_mask=torch.ones_like(IDS)
    )
    assert torch.equal(got, want)
    past = model(IDS, **across).past_key_values
    assert len(past[0]) == 4 and past[0][2].shape == (2, 2, 4, 8)  # the encoder's keys and values as well


@torch.no_grad()
@pytest.mark.parametrize("kind", ["absolute", "relative_key_query"])
def test_static_cache_decodes_alike(kind):
    config = RobertaConfig(**SIZES, is_decoder=True, position_embedding_type=kind, initializer_range=0.5)
    model = RobertaForCausalLM(config).eval()
    whole = model(IDS).logits
    cache = StaticCache(config, 2, 12)
    pieces = []
    for begin, end in ((0, 3), (3, 4), (4, 5)):
        pieces.append(model(IDS[:, begin:end], past_key_values=cache).logits)
        cache.position += end - begin
    torch.testing.assert_close(torch.cat(pieces, 1), whole, atol=1e-5, rtol=1e-5)


def test_a_language_model_that_is_no_decoder_says_so(caplog):
    model = BertLMHeadModel(BertConfig(**SIZES)).eval()
    assert "is_decoder" in caplog.text and model.bidirectional
    options = {"max_new_tokens": 3, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    assert torch.equal(model.generate(IDS, compile_decoding=True, **options), model.generate(IDS, **options))


def test_cross_attention_needs_a_decoder_that_has_it():
    with pytest.raises(ValueError, match="is_decoder"):
        BertModel(BertConfig(**SIZES, add_cross_attention=True))
    model = BertLMHeadModel(BertConfig(**SIZES, is_decoder=True))
    with pytest.raises(ValueError, match="add_cross_attention"):
        model(IDS, encoder_hidden_states=torch.zeros(2, 3, 16))


def test_config_errors():
    with pytest.raises(ConfigError, match="position_embedding_type"):
        BertConfig(position_embedding_type="rotary")
    with pytest.raises(ConfigError, match="num_attention_heads"):
        BertConfig(hidden_size=10, num_attention_heads=3)
    with pytest.raises(ConfigError, match="num_attention_heads"):
        DistilBertConfig(dim=10, n_heads=3)


def test_positional_configs():
    assert BertConfig(10, 8, 1, 2, 16, "relu", 0.0, 0.0, 20, 2, 0.02, 1e-5, 3, "relative_key").pad_token_id == 3
    config = RobertaConfig(10, 8, 1, 2, 16, "relu", 0.0, 0.0, 20, 2, 0.02, 1e-5, 3, 4, 5, "relative_key")
    assert (config.pad_token_id, config.bos_token_id, config.eos_token_id) == (3, 4, 5)
    assert config.position_embedding_type == "relative_key"


def test_positions_of_roberta_skip_padding():
    ids = torch.tensor([[1, 1, 7, 8, 9]])
    assert create_position_ids_from_input_ids(ids, 1).tolist() == [[1, 1, 2, 3, 4]]
    assert create_position_ids_from_input_ids(ids[:, 3:], 1, 3).tolist() == [[5, 6]]
    model = RobertaModel(RobertaConfig(**SIZES)).eval()
    mask = torch.tensor([[0, 0, 1, 1, 1]])
    padded = model(ids, attention_mask=mask).last_hidden_state[:, 2:]
    torch.testing.assert_close(padded, model(ids[:, 2:]).last_hidden_state)


@torch.no_grad()
def test_roberta_decodes_as_without_a_cache():
    model = RobertaForCausalLM(RobertaConfig(**SIZES, is_decoder=True, initializer_range=0.5)).eval()
    options = {"max_new_tokens": 5, "do_sample": False, "eos_token_id": None}
    assert torch.equal(model.generate(IDS, **options), model.generate(IDS, use_cache=False, **options))


def test_chunks_of_the_feed_forward_change_nothing():
    plain = BertModel(BertConfig(**SIZES)).eval()
    chunked = BertModel(BertConfig(**SIZES, chunk_size_feed_forward=1)).eval()
    chunked.load_state_dict(plain.state_dict())
    torch.testing.assert_close(chunked(IDS).last_hidden_state, plain(IDS).last_hidden_state)


@torch.no_grad()
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_traced_model_takes_other_sizes():
    model = BertModel(BertConfig(**SIZES, torchscript=True)).eval()
    traced = torch.jit.trace(model, (IDS, torch.ones_like(IDS)))
    other, mask = IDS.repeat(2, 2), torch.ones(4, 10, dtype=torch.long)
    torch.testing.assert_close(traced(other, mask)[0], model(other, mask)[0])


@pytest.mark.parametrize("fixed", [True, False])
def test_distilbert_resizes_positions(fixed):
    model = DistilBertForMaskedLM(
        DistilBertConfig(vocab_size=50, dim=16, n_layers=1, n_heads=2, hidden_dim=20, sinusoidal_pos_embds=fixed)
    )
    old = model.get_position_embeddings().weight.clone()
    assert model.get_position_embeddings().weight.requires_grad is not fixed
    model.resize_position_embeddings(600)
    new = model.get_position_embeddings().weight
    torch.testing.assert_close(new[:512], old)
    assert new.shape == (600, 16) and model.config.max_position_embeddings == 600
    assert new.requires_grad is not fixed
    if fixed:
        assert torch.equal(new[0], torch.tensor([0.0, 1.0] * 8))
    model.resize_position_embeddings(8)
    assert model(IDS).logits.shape == (2, 5, 50)


def test_layer_classes_have_their_own_names():
    """Names by which FSDP, device maps and adapters find the layers."""
    for prefix, sizes in (("Bert", SIZES), ("Roberta", SIZES), ("XLMRoberta", SIZES), ("RobertaPreLayerNorm", SIZES)):
        model = getattr(isoform, f"{prefix}Model")(getattr(isoform, f"{prefix}Config")(**sizes))
        assert type(model.encoder.layer[0]).__name__ == f"{prefix}Layer"
        assert f"{prefix}Layer" in model._no_split_modules


def test_too_long_a_text_is_refused_with_both_sizes():
    config = isoform.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        max_position_embeddings=8,
    )  # fmt: skip
    model = isoform.BertModel(config).eval()
    model(torch.full((1, 8), 5))
    with pytest.raises(ValueError, match="has 9 tokens; this model has positions for 8"):
        model(torch.full((1, 9), 5))
