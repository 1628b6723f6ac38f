"""What CLIP and the convolutional and dense vision models do beyond what every model does."""

from __future__ import annotations

import json

import pytest
import torch

import isoform
from isoform import AutoBackbone, AutoConfig, AutoModel, CLIPConfig, CLIPTextConfig, CLIPVisionConfig
from isoform.errors import ConfigError

SIZES = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "projection_dim": 6}
TEXT = {**SIZES, "intermediate_size": 8, "vocab_size": 20}
VISION = {**SIZES, "image_size": 16, "patch_size": 8}
CONV = {"hidden_sizes": [4, 6, 8, 8], "depths": [1, 1, 1, 1]}
STAGES = ["stage1", "stage2", "stage3", "stage4"]
DINO = {
    "model_type": "dinov2",
    "hidden_size": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 4,
    "image_size": 32,
    "patch_size": 8,
    "out_features": STAGES,
}


@pytest.fixture
def clip():
    torch.manual_seed(0)
    return isoform.CLIPModel(CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=6)).eval()


def test_clip_config_has_parts():
    config = CLIPConfig.from_text_vision_configs(CLIPTextConfig(**TEXT), CLIPVisionConfig(**VISION), projection_dim=7)
    assert (config.text_config.vocab_size, config.vision_config.image_size, config.projection_dim) == (20, 16, 7)
    old = CLIPConfig(text_config=TEXT, text_config_dict={"hidden_size": 32}, vision_config_dict=VISION)
    assert old.text_config.hidden_size == 32 and old.text_config.vocab_size == CLIPTextConfig().vocab_size
    assert old.vision_config.image_size == 16 and "text_config_dict" not in old.to_dict()
    assert CLIPConfig.from_dict(old.to_dict()).to_dict() == old.to_dict()
    with pytest.raises(ConfigError, match="text_config"):
        CLIPConfig(text_config=3)


def test_clip_encoders_load_from_the_whole(clip, tmp_path):
    clip.save_pretrained(tmp_path)
    ids, pixels = torch.tensor([[3, 4, 5]]), torch.randn(1, 3, 16, 16)
    with torch.no_grad():
        whole = clip(ids, pixels)
        text, info = isoform.CLIPTextModel.from_pretrained(tmp_path, output_loading_info=True)
        assert not info["missing_keys"] and all(not key.startswith("text_model") for key in info["unexpected_keys"])
        torch.testing.assert_close(text(ids).last_hidden_state, whole.text_model_output.last_hidden_state)
        vision = isoform.CLIPVisionModelWithProjection.from_pretrained(tmp_path)
        assert vision.config.model_type == "clip_vision_model"
    assert type(AutoModel.from_pretrained(tmp_path)) is isoform.CLIPModel
    assert type(AutoModel.from_config(CLIPVisionConfig(**VISION))) is isoform.CLIPVisionModel


@torch.no_grad()
def test_clip_features_are_the_embeddings(clip):
    ids, pixels = torch.tensor([[3, 4, 5], [6, 7, 8]]), torch.randn(3, 3, 16, 16)
    output = clip(ids, pixels)
    for features, embeds in (
        (clip.get_text_features(ids), output.text_embeds),
        (clip.get_image_features(pixels), output.image_embeds),
    ):
        torch.testing.assert_close(features / features.norm(dim=-1, keepdim=True), embeds)
    assert output.logits_per_image.shape == (3, 2) and torch.equal(output.logits_per_image.T, output.logits_per_text)
    with pytest.raises(ValueError, match="32 by 8 pixels"):
        clip.get_image_features(torch.randn(1, 3, 32, 8))


@torch.no_grad()
def test_convnext_keeps_channels_last_in_memory():
    model = isoform.ConvNextV2Model(isoform.ConvNextV2Config(**CONV)).eval()
    states = model(torch.randn(2, 3, 64, 96), output_hidden_states=True).hidden_states
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x in states)


@torch.no_grad()
def test_bit_can_be_wider():
    config = isoform.BitConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], num_groups=2, width_factor=3)
    model = isoform.BitForImageClassification(config).eval()
    assert model(torch.randn(1, 3, 32, 32), output_hidden_states=True).hidden_states[-1].shape[1] == 48
    with pytest.raises(ConfigError, match="foo not supported"):
        isoform.BitConfig(global_padding="foo")
    with pytest.raises(ConfigError, match="layer_type=foo"):
        isoform.BitConfig(layer_type="foo")


@pytest.mark.parametrize("kind", ["convnext", "convnextv2", "bit", "resnet"])
@torch.no_grad()
def test_backbones_of_the_auto_class(kind, tmp_path):
    sizes = {"bit": {"hidden_sizes": [8, 8, 8, 8], "num_groups": 2, "embedding_size": 8}}.get(kind, {})
    config = AutoConfig.for_model(kind, **{**CONV, **sizes}, out_features=["stage1", "stage3"])
    model = AutoBackbone.from_config(config).eval()
    maps = model(torch.randn(1, 3, 64, 64)).feature_maps
    assert [x.shape[1] for x in maps] == model.channels and len(maps) == 2
    model.save_pretrained(tmp_path)
    again = AutoBackbone.from_pretrained(tmp_path, out_indices=[2])
    assert again.out_features == ["stage2"] and len(again(torch.randn(1, 3, 64, 64)).feature_maps) == 1


def dense(**settings) -> dict:
    return {"neck_hidden_sizes": [4, 4, 6, 6], "fusion_hidden_size": 4, "num_labels": 3, **settings}


@pytest.mark.parametrize("reshape", [False, True])
@pytest.mark.parametrize("kind", ["dinov2", "convnext", "swin"])
def test_dpt_over_any_backbone(kind, reshape):
    """The reference knows ViTs that give tokens only; maps need no first token to be read out."""
    backbone = dict(DINO, reshape_hidden_states=reshape)
    if kind != "dinov2":
        backbone = {"model_type": kind, "out_features": STAGES}
        swin = {"embed_dim": 4, "depths": [1] * 4, "num_heads": [1] * 4, "image_size": 32, "window_size": 2}
        backbone.update(CONV if kind == "convnext" else swin)
    config = isoform.DPTConfig(**dense(backbone_config=backbone, reassemble_factors=[2, 1, 1, 1]))
    assert (
        config.num_hidden_layers is None and isoform.DPTConfig.from_dict(config.to_dict()).to_dict() == config.to_dict()
    )
    model = isoform.DPTForSemanticSegmentation(config)
    labels = torch.randint(0, 3, (2, 64, 32))
    output = model(torch.randn(2, 3, 64, 32), labels=labels)
    assert torch.isfinite(output.loss) and output.logits.shape[0] == 2
    output.loss.backward()
    assert all(p.grad is not None for p in model.neck.reassemble_stage.parameters())
    with pytest.raises(ValueError, match="is_hybrid"):
        isoform.DPTModel(config)


def test_dpt_reads_the_reference_s_configuration_over_a_backbone():
    """4.36.2 writes null for all that only a ViT of DPT's own has."""
    nulls = [
        "attention_probs_dropout_prob",
        "backbone_featmap_shape",
        "backbone_out_indices",
        "hidden_dropout_prob",
        "image_size",
        "intermediate_size",
        "layer_norm_eps",
        "num_attention_heads",
        "num_channels",
        "num_hidden_layers",
        "patch_size",
        "qkv_bias",
    ]
    written = dense(backbone_config=dict(DINO, reshape_hidden_states=False), reassemble_factors=[2, 1, 1, 1])
    config = isoform.DPTConfig.from_dict({**written, **dict.fromkeys(nulls)})
    model = isoform.DPTForDepthEstimation(config).eval()
    assert model(torch.randn(1, 3, 32, 32)).predicted_depth.shape[0] == 1
    saved = isoform.DPTConfig(**written).to_dict()
    assert {name: saved[name] for name in nulls} == dict.fromkeys(nulls)


def test_dpt_config_is_checked():
    hybrid = isoform.DPTConfig(is_hybrid=True)
    assert hybrid.backbone_config.model_type == "bit" and hybrid.backbone_config.depths == [3, 4, 9]
    assert json.loads(hybrid.to_json_string())["backbone_config"]["global_padding"] == "SAME"
    for settings, text in (
        ({"readout_type": "foo"}, "Readout_type must be one of"),
        ({"is_hybrid": True, "readout_type": "add"}, "must be 'project'"),
        ({"backbone_config": 5}, "must be a dictionary"),
        ({"backbone_config": {"model_type": "foo"}}, "found 'foo'"),
    ):
        with pytest.raises(ConfigError, match=text):
            isoform.DPTConfig(**settings)
    model = isoform.DPTForDepthEstimation(isoform.DPTConfig(**dense(), **SMALL))
    with pytest.raises(NotImplementedError, match="predicted_depth"):
        model(torch.randn(1, 3, 32, 32), labels=torch.ones(1, 32, 32))


SMALL = {
    "hidden_size": 8,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "image_size": 32,
    "patch_size": 8,
    "backbone_out_indices": [0, 1, 2, 3],
}


@torch.no_grad()
def test_dpt_takes_pictures_that_are_not_square():
    model = isoform.DPTForDepthEstimation(isoform.DPTConfig(**dense(), **SMALL)).eval()
    assert model(torch.randn(1, 3, 24, 40)).predicted_depth.shape == (1, 64, 96)


def test_upernet_defaults_to_resnet():
    config = isoform.UperNetConfig()
    assert config.backbone_config.model_type == "resnet" and len(config.backbone_config.out_features) == 4
    assert isoform.UperNetConfig.from_dict(config.to_dict()).to_dict() == config.to_dict()
    one = isoform.UperNetConfig(
        backbone_config={"model_type": "convnext", **CONV, "out_features": STAGES},
        hidden_size=4,
        num_labels=1,
        auxiliary_in_channels=8,
    )
    model = isoform.UperNetForSemanticSegmentation(one).eval()
    with pytest.raises(ValueError, match="greater than one"):
        model(torch.randn(1, 3, 32, 32), labels=torch.zeros(1, 32, 32, dtype=torch.long))
