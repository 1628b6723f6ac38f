"""Which stages a backbone gives: names and positions agree, and wrong choices are named."""

from __future__ import annotations

from typing import Any

import pytest

import isoform
from isoform.configuration_utils import PretrainedConfig, field
from isoform.errors import ConfigError
from isoform.utils.backbone_utils import (
    BackboneConfigMixin,
    BackboneMixin,
    get_aligned_output_features_output_indices,
    verify_out_features_out_indices,
)

STAGES = ["stem", "s1", "s2", "s3"]


class StagedConfig(BackboneConfigMixin, PretrainedConfig):
    model_type = "staged"
    num_hidden_layers: int = field(3, ge=0)
    out_features: list[str] | None = field(None)
    out_indices: list[int] | None = field(None)

    def validate(self) -> None:
        self.name_stages(self.num_hidden_layers)


class OldStyleConfig(BackboneConfigMixin, PretrainedConfig):
    model_type = "old"

    def __init__(self, depth=2, out_features=None, out_indices=None, **kwargs):
        super().__init__(**kwargs)
        self.stage_names = ["stem", *(f"stage{i + 1}" for i in range(depth))]
        self._out_features, self._out_indices = get_aligned_output_features_output_indices(
            out_features, out_indices, self.stage_names
        )


@pytest.mark.parametrize(
    ("names", "indices", "expected"),
    [
        (None, None, (["s3"], [3])),
        (["s1"], None, (["s1"], [1])),
        (None, (1, 2), (["s1", "s2"], (1, 2))),
        (["s2", "s1"], None, (["s2", "s1"], [2, 1])),
        (None, [-1, -2], (["s3", "s2"], [-1, -2])),
        (["s3"], [-1], (["s3"], [-1])),
        ([], None, ([], [])),
    ],
)
def test_alignment(names, indices, expected):
    assert get_aligned_output_features_output_indices(names, indices, STAGES) == expected


@pytest.mark.parametrize(
    ("names", "indices", "message"),
    [
        (["x"], None, "out_features must be a subset of stage_names"),
        ("s1", None, "out_features must be a list"),
        (None, 1, "out_indices must be a list or tuple"),
        (None, [4], "out_indices must be valid indices for stage_names"),
        (["s1"], [2], "should correspond to the same stages"),
        (["s1", "s2"], [1], "should have the same length"),
    ],
)
def test_wrong_choices(names, indices, message):
    with pytest.raises(ValueError, match=message):
        get_aligned_output_features_output_indices(names, indices, STAGES)
    with pytest.raises(ConfigError, match="stage_names must be set"):
        verify_out_features_out_indices(names, indices, None)


@pytest.mark.parametrize("config_class", [StagedConfig, OldStyleConfig])
def test_configuration(config_class, tmp_path):
    config = config_class(out_features=["stage2"])
    assert (config.out_features, config.out_indices) == (["stage2"], [2])
    config.out_indices = [0, 1]
    assert config.out_features == ["stem", "stage1"]
    values = config.to_dict()
    assert (values["out_features"], values["out_indices"]) == (["stem", "stage1"], [0, 1])
    assert not any(name.startswith("_out") or name == "_fresh" for name in values)
    config.save_pretrained(tmp_path)
    loaded = config_class.from_pretrained(tmp_path)
    assert loaded.to_dict() | {"_name_or_path": ""} == {**values, "_name_or_path": ""}
    assert config_class.from_pretrained(tmp_path, out_features=["stage1"]).out_indices == [1]
    with pytest.raises(ValueError, match="subset"):
        config.out_features = ["stage9"]
    with pytest.raises(ValueError, match="subset"):
        config_class(out_features=["stage9"])
    with pytest.raises(ValueError, match="same stages"):
        config_class(out_features=["stage2"], out_indices=[1])


def test_stages_follow_the_constructor_only():
    """A file of three layers read with one layer fewer keeps its choice, as in the reference."""
    values = StagedConfig().to_dict()
    assert StagedConfig.from_dict(values, num_hidden_layers=2).out_features == ["stage3"]
    with pytest.raises(ValueError, match="subset"):
        StagedConfig.from_dict({**values, "num_hidden_layers": 2})


def test_model():
    class Toy(BackboneMixin):
        def __init__(self, config):
            self._init_backbone(config)
            self.num_features = [4, 8, 16, 32]

        def forward(self, pixel_values, output_attentions=None):
            return self.select(pixel_values)

        __call__ = forward

    model = Toy(StagedConfig(out_features=["stage3", "stage1"]))
    assert (model.out_indices, model.channels) == ([3, 1], [32, 8])
    assert model.out_feature_channels == {"stem": 4, "stage1": 8, "stage2": 16, "stage3": 32}
    assert model.forward_with_filtered_kwargs([0, 1, 2, 3], no_such=1) == [1, 3]
    model.out_features = ["stage2"]
    assert model.out_indices == [2]


def test_choice_survives_in_a_larger_configuration():
    """It is saved even where it equals that of the default backbone, which is of another class."""

    class OtherConfig(StagedConfig):
        model_type = "other"

    class HolderConfig(PretrainedConfig):
        model_type = "holder"
        backbone_config: Any = field(None)

        def validate(self) -> None:
            if self.backbone_config is None:
                self.backbone_config = StagedConfig(out_features=["stage1"])

    saved = HolderConfig(backbone_config=OtherConfig(out_features=["stage1"])).to_diff_dict()["backbone_config"]
    assert (saved["model_type"], saved["out_features"]) == ("other", ["stage1"])


@pytest.mark.parametrize("config_class", ["ViTConfig", "DeiTConfig", "BeitConfig", "Dinov2Config", "SwinConfig"])
def test_sizes_of_images_and_patches(config_class):
    config = getattr(isoform, config_class)(image_size=[32, 64], patch_size=(8, 4))
    assert (config.image_size, config.patch_size) == ([32, 64], (8, 4))
    with pytest.raises(ConfigError, match="'image_size' must be one number, or height and width"):
        getattr(isoform, config_class)(image_size=[224])
    with pytest.raises(ConfigError, match=r"patch_size \(300\) must not exceed image_size \(224\)"):
        getattr(isoform, config_class)(patch_size=300)


def test_backbones_of_timm_are_refused():
    with pytest.raises(ValueError, match="timm"):
        isoform.AutoBackbone.from_pretrained("resnet18", use_timm_backbone=True)
