"""Backbones: models that give the feature maps of chosen stages to another model. Imports no framework.

The stages have names (`stage_names`: "stem", "stage1", …); `out_features` chooses among them by name and `out_indices`
by position. Setting one sets the other, in configurations (`BackboneConfigMixin`) and in models (`BackboneMixin`).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from ..errors import ConfigError

__all__ = [
    "BackboneConfigMixin",
    "BackboneMixin",
    "BackboneType",
    "get_aligned_output_features_output_indices",
    "load_backbone",
    "verify_out_features_out_indices",
]


class BackboneType(Enum):
    """Where a backbone's implementation comes from."""

    TIMM = "timm"
    TRANSFORMERS = "transformers"


def verify_out_features_out_indices(
    out_features: Iterable[str] | None, out_indices: Iterable[int] | None, stage_names: Sequence[str] | None
) -> None:
    """Check that the chosen stages exist and that the two ways to choose them agree.

    Raises:
        ConfigError: (a `ValueError`) says what is wrong.
    """
    if stage_names is None:
        raise ConfigError("stage_names must be set before stages can be chosen", field="stage_names")
    stages = list(stage_names)
    if out_features is not None:
        if not isinstance(out_features, list):
            raise ConfigError(f"out_features must be a list, got {type(out_features)}")
        if any(name not in stages for name in out_features):
            raise ConfigError(f"out_features must be a subset of stage_names: {stages} got {out_features}")
    if out_indices is not None:
        if not isinstance(out_indices, (list, tuple)):
            raise ConfigError(f"out_indices must be a list or tuple, got {type(out_indices)}")
        if any(not isinstance(i, int) or not -len(stages) <= i < len(stages) for i in out_indices):
            raise ConfigError(f"out_indices must be valid indices for stage_names {stages}, got {out_indices}")
    if out_features is not None and out_indices is not None:
        if len(out_features) != len(out_indices):
            raise ConfigError("out_features and out_indices should have the same length if both are set")
        if out_features != [stages[i] for i in out_indices]:
            raise ConfigError("out_features and out_indices should correspond to the same stages if both are set")


def get_aligned_output_features_output_indices(
    out_features: list[str] | None, out_indices: list[int] | tuple[int, ...] | None, stage_names: Sequence[str]
) -> tuple[list[str], list[int] | tuple[int, ...]]:
    """The chosen stages by name and by position, whichever of the two was given; the last stage if neither was.

    Raises:
        ConfigError: (a `ValueError`) the two disagree, or a stage does not exist.
    """
    verify_out_features_out_indices(out_features, out_indices, stage_names)
    if out_features is None:
        if out_indices is None:
            out_indices = [len(stage_names) - 1]
        return [stage_names[i] for i in out_indices], out_indices
    if out_indices is None:
        out_indices = [list(stage_names).index(name) for name in out_features]
    return out_features, out_indices


class _ChosenStages:
    """The properties `out_features` and `out_indices` of what has `stage_names`."""

    stage_names: list[str]
    _out_features: list[str]
    _out_indices: list[int] | tuple[int, ...]

    @property  # Any, because configurations declare these two as fields that may be None
    def out_features(self) -> Any:
        """Names of the chosen stages; setting them sets `out_indices` too."""
        return self._out_features

    @out_features.setter
    def out_features(self, names: Any) -> None:
        self._choose(names, None)

    @property
    def out_indices(self) -> Any:
        """Positions of the chosen stages; setting them sets `out_features` too."""
        return self._out_indices

    @out_indices.setter
    def out_indices(self, indices: Any) -> None:
        self._choose(None, indices)

    def _choose(self, names: list[str] | None, indices: list[int] | tuple[int, ...] | None) -> None:
        chosen = get_aligned_output_features_output_indices(names, indices, self.stage_names)
        self._out_features, self._out_indices = chosen


class BackboneConfigMixin(_ChosenStages):
    """Mixin of the configurations of backbones, put before `PretrainedConfig`.

    A configuration declares `out_features` and `out_indices` as fields and names its stages in `validate`:

        class FooConfig(BackboneConfigMixin, PretrainedConfig):
            num_hidden_layers: int = field(12, "Number of layers.", ge=0)
            out_features: list[str] | None = field(None, "Stages that a backbone gives, by name.")
            out_indices: list[int] | None = field(None, "Stages that a backbone gives, by position.")

            def validate(self) -> None:
                self.name_stages(self.num_hidden_layers)

    One with an `__init__` of its own may instead set `stage_names`, `_out_features` and `_out_indices` there.
    """

    _fresh = True  # the constructor has not named the stages yet

    def _choose(self, names: Any, indices: Any) -> None:
        if "stage_names" in vars(self):
            super()._choose(names, indices)
        elif names is None:  # the constructor is setting one field after the other: both are checked in the end
            self._out_indices = indices
        else:
            self._out_features = names

    def name_stages(self, names: int | Sequence[str]) -> None:
        """Name the stages and check what was chosen of them. Calls after the first one change nothing.

        Args:
            names: The names; or a number n, for "stem", "stage1", …, "stage<n>".

        Raises:
            ConfigError: the chosen stages do not exist or contradict each other.
        """
        if not self._fresh:  # one more check of the fields, after a change
            return
        self._fresh = False
        self.stage_names = ["stem", *(f"stage{i + 1}" for i in range(names))] if isinstance(names, int) else list(names)
        given = vars(self)
        chosen = given.get("_out_features"), given.get("_out_indices")
        self._out_features, self._out_indices = get_aligned_output_features_output_indices(*chosen, self.stage_names)

    def to_dict(self) -> dict[str, Any]:
        """As that of `PretrainedConfig`, with `out_features` and `out_indices`."""
        values = super().to_dict()  # type: ignore[misc]
        values.pop("_fresh", None)
        values["out_features"], values["out_indices"] = values.pop("_out_features"), values.pop("_out_indices")
        return values


class BackboneMixin(_ChosenStages):
    """Mixin of models that are backbones. Their constructor calls `_init_backbone` and sets `num_features`.

    Attributes:
        stage_names: names of all stages.
        num_features: number of channels of each stage.
        out_features, out_indices: the chosen stages.
    """

    backbone_type: BackboneType | None = None
    num_features: list[int]

    def _init_backbone(self, config: Any) -> None:
        """Take the names of the stages and the choice among them from the configuration, or from a timm model."""
        self.config = config
        self.use_timm_backbone = getattr(config, "use_timm_backbone", False)
        self.backbone_type = BackboneType.TIMM if self.use_timm_backbone else BackboneType.TRANSFORMERS
        if self.use_timm_backbone:
            self._init_timm_backbone(config)
        else:
            self._init_transformers_backbone(config)

    def _init_timm_backbone(self, config: Any) -> None:
        """Read the stages off the timm model in `self._backbone`."""
        if getattr(self, "_backbone", None) is None:
            raise ValueError("self._backbone must be set before calling _init_timm_backbone")
        features = self._backbone.feature_info  # type: ignore[attr-defined]
        self.stage_names = [stage["module"] for stage in features.info]
        self.num_features = [stage["num_chs"] for stage in features.info]
        self._out_features, self._out_indices = features.module_name(), features.out_indices
        verify_out_features_out_indices(self._out_features, self._out_indices, self.stage_names)

    def _init_transformers_backbone(self, config: Any) -> None:
        self.stage_names = config.stage_names
        self._choose(getattr(config, "out_features", None), getattr(config, "out_indices", None))

    @property
    def out_feature_channels(self) -> dict[str, int]:
        """Number of channels by name, for all stages."""
        return dict(zip(self.stage_names, self.num_features))

    @property
    def channels(self) -> list[int]:
        """Number of channels of each chosen stage."""
        return [self.out_feature_channels[name] for name in self.out_features]

    def select(self, stages: Sequence[Any]) -> list[Any]:
        """Those of `stages`, one for each name, that were chosen, in the order of the network."""
        return [stage for name, stage in zip(self.stage_names, stages) if name in self.out_features]

    def forward_with_filtered_kwargs(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model without those keyword arguments that its `forward` does not know."""
        known = inspect.signature(self.forward).parameters
        return self(*args, **{name: value for name, value in kwargs.items() if name in known})  # type: ignore[operator]

    def forward(
        self,
        pixel_values: Any,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """`BackboneOutput` with the feature maps of the chosen stages; each backbone has its own."""
        raise NotImplementedError(f"{type(self).__name__} must implement forward")

    def to_dict(self) -> dict[str, Any]:
        """As that of the other base class, with `out_features` and `out_indices`."""
        values = super().to_dict()  # type: ignore[misc]
        values["out_features"], values["out_indices"] = values.pop("_out_features"), values.pop("_out_indices")
        return values


def load_backbone(config: Any) -> Any:
    """The backbone, with new weights, that the `backbone_config` of a model's configuration describes.

    Raises:
        ConfigError: (a `ValueError`) there is no `backbone_config`.
    """
    from ..models.auto.modeling_auto import AutoBackbone

    if getattr(config, "backbone_config", None) is None:
        raise ConfigError("a backbone is needed: give the configuration of one", field="backbone_config")
    if config._attn_implementation_internal is not None:  # one choice for the whole model
        config.backbone_config._attn_implementation = config._attn_implementation
    return AutoBackbone.from_config(config.backbone_config)
