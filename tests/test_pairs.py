"""Models of two parts: joining pretrained ones, saving, generating, learning."""

from __future__ import annotations

import pytest
import torch

from isoform import (
    AutoModelForSeq2SeqLM,
    AutoModelForVision2Seq,
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertModel,
    CLIPConfig,
    CLIPModel,
    CLIPVisionModel,
    EncoderDecoderConfig,
    EncoderDecoderModel,
    GPT2Config,
    GPT2LMHeadModel,
    OPTConfig,
    OPTForCausalLM,
    VisionEncoderDecoderModel,
    VisionTextDualEncoderConfig,
    VisionTextDualEncoderModel,
    ViTConfig,
    ViTModel,
)
from isoform.modeling_outputs import BaseModelOutput

BERT = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "max_position_embeddings": 24,
}
GPT2 = {"vocab_size": 40, "n_embd": 24, "n_layer": 2, "n_head": 3, "n_positions": 32}
VIT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "image_size": 8,
    "patch_size": 4,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
IDS = torch.tensor([[7, 9, 11, 13, 15], [8, 10, 12, 14, 16]])


@pytest.fixture
def folders(tmp_path):
    """Checkpoints of a BERT, a GPT-2 and a ViT."""
    models = {
        "bert": BertForPreTraining(BertConfig(**BERT)),
        "gpt2": GPT2LMHeadModel(GPT2Config(**GPT2)),
        "vit": ViTModel(ViTConfig(**VIT)),
    }
    for name, model in models.items():
        model.save_pretrained(tmp_path / name)
    return tmp_path


def same_weights(one, other) -> bool:
    want, got = one.state_dict(), other.state_dict()
    return want.keys() == got.keys() and all(torch.equal(value, got[name]) for name, value in want.items())


def test_joined_pretrained_models(folders, tmp_path):
    model = EncoderDecoderModel.from_encoder_decoder_pretrained(
        folders / "bert", folders / "gpt2", encoder_hidden_dropout_prob=0.25, pad_token_id=0
    )
    assert same_weights(model.encoder, BertModel.from_pretrained(folders / "bert")) is True
    old = GPT2LMHeadModel.from_pretrained(folders / "gpt2").state_dict()
    assert all(torch.equal(model.decoder.state_dict()[name], value) for name, value in old.items())
    assert model.config.encoder.hidden_dropout_prob == 0.25 and model.config.pad_token_id == 0
    assert model.config.decoder.is_decoder and model.config.decoder.add_cross_attention
    assert not model.config.encoder.is_decoder
    assert model.enc_to_dec_proj.weight.shape == (24, 16)
    assert model.decoder.lm_head.weight is model.decoder.transformer.wte.weight

    model.config.decoder_start_token_id = 1
    model.eval().save_pretrained(tmp_path / "pair")
    for cls in (EncoderDecoderModel, AutoModelForSeq2SeqLM):
        loaded, info = cls.from_pretrained(tmp_path / "pair", output_loading_info=True)
        assert type(loaded) is EncoderDecoderModel and same_weights(loaded, model)
        assert not info["missing_keys"] and not info["unexpected_keys"]
    labels = torch.tensor([[3, 4, 5], [6, 7, -100]])
    torch.testing.assert_close(loaded(IDS, labels=labels).loss, model(IDS, labels=labels).loss)


@torch.no_grad()
def test_labels_are_shifted_for_the_decoder(folders):
    model = EncoderDecoderModel.from_encoder_decoder_pretrained(folders / "bert", folders / "bert").eval()
    labels = torch.tensor([[3, 4, 5], [6, 7, -100]])
    with pytest.raises(ValueError, match="decoder_start_token_id"):
        model(IDS, labels=labels)
    model.config.decoder_start_token_id = 2
    with pytest.raises(ValueError, match="pad_token_id"):
        model(IDS, labels=labels)
    model.config.pad_token_id = 0
    read = torch.tensor([[2, 3, 4], [2, 6, 7]])
    assert torch.equal(model.prepare_decoder_input_ids_from_labels(labels), read)
    want = model(IDS, decoder_input_ids=read).logits
    output = model(IDS, labels=labels)
    torch.testing.assert_close(output.logits, want)
    torch.testing.assert_close(output.loss, torch.nn.functional.cross_entropy(want.flatten(0, 1), labels.flatten()))


@torch.no_grad()
def test_encoder_outputs_instead_of_inputs(folders):
    model = EncoderDecoderModel.from_encoder_decoder_pretrained(folders / "bert", folders / "gpt2").eval()
    start = torch.ones(2, 1, dtype=torch.long)
    want = model(IDS, decoder_input_ids=start).logits
    states = model.get_encoder()(IDS).last_hidden_state
    for given in (BaseModelOutput(last_hidden_state=states), (states,)):
        torch.testing.assert_close(model(encoder_outputs=given, decoder_input_ids=start).logits, want)
    with pytest.raises(TypeError, match="no_such_input"):
        model(IDS, decoder_input_ids=start, no_such_input=1)
    with pytest.raises(TypeError, match="no_such_input"):
        model(IDS, decoder_input_ids=start, decoder_no_such_input=1)


@torch.no_grad()
@pytest.mark.parametrize("decoder", ["bert", "gpt2"])
def test_generation_equals_repeated_passes(folders, decoder):
    torch.manual_seed(0)
    model = EncoderDecoderModel.from_encoder_decoder_pretrained(folders / "bert", folders / decoder).eval()
    for parameter in model.parameters():  # so that tokens depend on the input
        parameter.mul_(6.0) if parameter.dim() > 1 else None
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    want = torch.ones(2, 1, dtype=torch.long)
    for _ in range(6):
        logits = model(IDS, attention_mask=mask, decoder_input_ids=want).logits
        want = torch.cat((want, logits[:, -1:].argmax(-1)), 1)
    options = {"decoder_start_token_id": 1, "pad_token_id": 0, "eos_token_id": None, "max_new_tokens": 6}
    got = model.generate(IDS, attention_mask=mask, do_sample=False, **options)
    assert torch.equal(got, want)
    alone = model.generate(IDS[1:, :3], do_sample=False, **options)
    assert torch.equal(alone, got[1:])
    beams = model.generate(IDS, attention_mask=mask, num_beams=3, num_return_sequences=2, **options)
    assert beams.shape[0] == 4


def test_tied_encoder_and_decoder(tmp_path):
    part = BertConfig(**BERT)
    config = EncoderDecoderConfig.from_encoder_decoder_configs(part, BertConfig(**BERT), tie_encoder_decoder=True)
    model = EncoderDecoderModel(config)

    def tied(model) -> bool:
        one, other = model.encoder.encoder.layer[1], model.decoder.bert.encoder.layer[1]
        return one.attention.self.query.weight is other.attention.self.query.weight and one is not other

    assert tied(model) and model.encoder.embeddings.word_embeddings.weight is model.get_output_embeddings().weight
    model.save_pretrained(tmp_path)
    loaded, info = EncoderDecoderModel.from_pretrained(tmp_path, output_loading_info=True)
    assert tied(loaded) and same_weights(loaded, model) and not info["missing_keys"]


def test_what_cannot_be_joined():
    bert, gpt2 = BertModel(BertConfig(**BERT)), GPT2LMHeadModel(GPT2Config(**GPT2, add_cross_attention=True))
    with pytest.raises(ValueError, match="config"):
        EncoderDecoderModel(encoder=bert)
    with pytest.raises(ValueError, match="head"):
        EncoderDecoderModel(encoder=BertForMaskedLM(BertConfig(**BERT)), decoder=gpt2)
    opt = OPTForCausalLM(
        OPTConfig(vocab_size=40, hidden_size=16, num_hidden_layers=1, ffn_dim=16, num_attention_heads=2)
    )
    with pytest.raises(ValueError, match="cross-attention"):
        EncoderDecoderModel(encoder=bert, decoder=opt)
    gpt2.config.cross_attention_hidden_size = 12
    with pytest.raises(ValueError, match="cross_attention_hidden_size"):
        EncoderDecoderModel(encoder=bert, decoder=gpt2)
    with pytest.raises(ValueError, match="decoder"):
        EncoderDecoderConfig(encoder={"model_type": "bert"})
    with pytest.raises(ValueError, match="encoder"):
        EncoderDecoderModel.from_encoder_decoder_pretrained(None, "somewhere")
    with pytest.raises(NotImplementedError, match="resize_token_embeddings"):
        EncoderDecoderModel(encoder=bert, decoder=GPT2LMHeadModel(GPT2Config(**GPT2, add_cross_attention=True))
                            ).resize_token_embeddings(10)  # fmt: skip


def test_attention_implementation_reaches_the_parts(folders, tmp_path):
    model = EncoderDecoderModel.from_encoder_decoder_pretrained(folders / "bert", folders / "bert")
    model.save_pretrained(tmp_path / "pair")
    loaded = EncoderDecoderModel.from_pretrained(tmp_path / "pair", attn_implementation="eager")
    assert loaded.encoder.config._attn_implementation == loaded.decoder.config._attn_implementation == "eager"


def test_a_captioner_learns_a_handful_of_images(folders, tmp_path):
    torch.manual_seed(0)
    model = VisionEncoderDecoderModel.from_encoder_decoder_pretrained(folders / "vit", folders / "gpt2")
    assert not model.config.tie_word_embeddings and model.enc_to_dec_proj is not None
    model.config.decoder_start_token_id, model.config.pad_token_id, model.config.eos_token_id = 1, 0, 2
    model.train()
    images = torch.randn(4, 3, 8, 8)
    captions = torch.tensor([[5, 6, 7, 2], [8, 9, 2, -100], [10, 5, 11, 2], [12, 2, -100, -100]])
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(150):
        loss = model(pixel_values=images, labels=captions).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss < 0.1
    model.eval().save_pretrained(tmp_path / "captioner")
    loaded = AutoModelForVision2Seq.from_pretrained(tmp_path / "captioner")
    said = loaded.generate(images, max_new_tokens=4, num_beams=2, pad_token_id=0, eos_token_id=2)
    want = captions.masked_fill(captions == -100, 0)
    assert torch.equal(said[:, 1:], want)
    with pytest.raises(ValueError, match="pixel_values"):
        loaded(decoder_input_ids=torch.ones(1, 1, dtype=torch.long))


def test_image_and_text_in_one_space(folders, tmp_path):
    model = VisionTextDualEncoderModel.from_vision_text_pretrained(
        folders / "vit", folders / "bert", projection_dim=12
    ).eval()
    assert same_weights(model.text_model, BertModel.from_pretrained(folders / "bert"))
    images, mask = torch.randn(3, 3, 8, 8), torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]])
    output = model(input_ids=IDS, pixel_values=images, attention_mask=mask)
    assert output.logits_per_image.shape == (3, 2) and output.loss is None
    text = model.get_text_features(input_ids=IDS, attention_mask=mask)
    image = model.get_image_features(pixel_values=images)
    text, image = text / text.norm(dim=-1, keepdim=True), image / image.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(output.text_embeds, text)
    torch.testing.assert_close(output.logits_per_text, text @ image.T * model.logit_scale.exp())
    model.save_pretrained(tmp_path / "pair")
    loaded, info = VisionTextDualEncoderModel.from_pretrained(tmp_path / "pair", output_loading_info=True)
    assert same_weights(loaded, model) and not info["missing_keys"] and not info["unexpected_keys"]


def test_the_image_encoder_of_a_clip_model(folders, tmp_path):
    vision = {"hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 1, "num_attention_heads": 2,
              "image_size": 8, "patch_size": 4}  # fmt: skip
    text = {**BERT, "num_hidden_layers": 1, "eos_token_id": 2}
    clip = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))
    clip.save_pretrained(tmp_path / "clip")
    model = VisionTextDualEncoderModel.from_vision_text_pretrained(tmp_path / "clip", folders / "bert")
    assert type(model.vision_model) is CLIPVisionModel
    got, want = model.vision_model.vision_model.state_dict(), clip.vision_model.state_dict()
    assert all(torch.equal(got[name], value) for name, value in want.items())
    model.save_pretrained(tmp_path / "pair")
    assert type(VisionTextDualEncoderModel.from_pretrained(tmp_path / "pair").vision_model) is CLIPVisionModel
    config = VisionTextDualEncoderConfig(
        vision_config=clip.config.to_dict(), text_config=BertConfig(**BERT).to_dict(), projection_dim=12
    )
    assert config.vision_config.model_type == "clip_vision_model" and config.projection_dim == 12
    with pytest.raises(ValueError, match="text_config"):
        VisionTextDualEncoderConfig(vision_config=clip.config.to_dict())
