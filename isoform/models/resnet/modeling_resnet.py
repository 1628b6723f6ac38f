"""ResNet: convolutions with residual connections (He et al. 2015). It is the usual backbone of segmentation heads."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ...activations import ACT2FN
from ...heads.vision import ImageClassification
from ...layers import Call, model_forward, run_layers
from ...layers.patches import check_pixels
from ...modeling_outputs import (
    BackboneOutput,
    BaseModelOutputWithPoolingAndNoAttention,
    ImageClassifierOutputWithNoAttention,
)
from ...modeling_utils import PreTrainedModel
from ...utils.backbone_utils import BackboneMixin
from .configuration_resnet import ResNetConfig


class ResNetConvLayer(nn.Module):
    """A convolution, batch normalisation and an activation."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        activation: str | None = "relu",
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False)
        self.normalization = nn.BatchNorm2d(out_channels)
        self.activation = ACT2FN[activation] if activation is not None else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.normalization(self.convolution(x)))


class ResNetShortCut(nn.Module):
    """The shortcut of a layer that changes the number of channels or the resolution."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 2) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False)
        self.normalization = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.normalization(self.convolution(x))


class ResNetEmbeddings(nn.Module):
    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        self.num_channels = config.num_channels
        self.embedder = ResNetConvLayer(config.num_channels, config.embedding_size, 7, 2, config.hidden_act)
        self.pooler = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

    def forward(self, pixel_values: Tensor) -> Tensor:
        check_pixels(pixel_values, self.num_channels)
        return self.pooler(self.embedder(pixel_values))


class _Residual(nn.Module):
    """`activation(shortcut(x) + layer(x))`; inside of `layer` the activation is ReLU, whatever `activation` is."""

    def __init__(self, inputs: int, outputs: int, stride: int, activation: str, layers: list[nn.Module]) -> None:
        super().__init__()
        changes = inputs != outputs or stride != 1
        self.shortcut = ResNetShortCut(inputs, outputs, stride) if changes else nn.Identity()
        self.layer = nn.Sequential(*layers)
        self.activation = ACT2FN[activation]

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.shortcut(x) + self.layer(x))


class ResNetBasicLayer(_Residual):
    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, activation: str = "relu") -> None:
        layers: list[nn.Module] = [
            ResNetConvLayer(in_channels, out_channels, 3, stride),
            ResNetConvLayer(out_channels, out_channels, 3, activation=None),
        ]
        super().__init__(in_channels, out_channels, stride, activation, layers)


class ResNetBottleNeckLayer(_Residual):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        activation: str = "relu",
        reduction: int = 4,
        downsample_in_bottleneck: bool = False,
    ) -> None:
        middle = out_channels // reduction
        first, second = (stride, 1) if downsample_in_bottleneck else (1, stride)
        layers: list[nn.Module] = [
            ResNetConvLayer(in_channels, middle, 1, first),
            ResNetConvLayer(middle, middle, 3, second),
            ResNetConvLayer(middle, out_channels, 1, activation=None),
        ]
        super().__init__(in_channels, out_channels, stride, activation, layers)


class ResNetStage(nn.Module):
    def __init__(self, config: ResNetConfig, in_channels: int, out_channels: int, stride: int, depth: int) -> None:
        super().__init__()
        options: dict[str, Any] = {"activation": config.hidden_act}
        layer: Any = ResNetBasicLayer
        if config.layer_type == "bottleneck":
            layer, options["downsample_in_bottleneck"] = ResNetBottleNeckLayer, config.downsample_in_bottleneck
        layers = [layer(in_channels, out_channels, stride, **options)]
        layers += [layer(out_channels, out_channels, **options) for _ in range(depth - 1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor, call: Call | None = None) -> Tensor:
        return self.layers(x)


class ResNetEncoder(nn.Module):
    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        widths = [config.embedding_size, *config.hidden_sizes]
        strides = [2 if config.downsample_in_first_stage else 1] + [2] * len(config.depths)
        self.stages = nn.ModuleList(
            ResNetStage(config, widths[i], widths[i + 1], strides[i], depth) for i, depth in enumerate(config.depths)
        )

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return run_layers(self.stages, x, call)


class ResNetPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, main_input_name = ResNetConfig, "resnet", "pixel_values"
    input_embeddings = "embedder.embedder"

    def _init_weights(self, module: nn.Module) -> None:
        # Norms start at one already, and the classifier keeps torch's own initial weights.
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class ResNetModel(ResNetPreTrainedModel):
    def __init__(self, config: ResNetConfig) -> None:
        super().__init__(config)
        self.embedder = ResNetEmbeddings(config)
        self.encoder = ResNetEncoder(config)
        self.pooler = nn.AdaptiveAvgPool2d((1, 1))

    @model_forward
    def forward(self, pixel_values=None, output_hidden_states=None, return_dict=None, *, call: Call) -> Any:
        x = self.encoder(self.embedder(pixel_values), call)
        pooled = x.mean((-2, -1), keepdim=True)
        return call.finish(x, BaseModelOutputWithPoolingAndNoAttention, pooler_output=pooled)


class ResNetForImageClassification(
    ImageClassification,
    ResNetPreTrainedModel,
    body=ResNetModel,
    pool="pooled",
    output=ImageClassifierOutputWithNoAttention,
    signature="pixel_values labels output_hidden_states return_dict",
):
    def build_head(self, config: ResNetConfig) -> None:
        self.num_labels = config.num_labels
        self.classifier = nn.Sequential(nn.Flatten(), self.build_classifier(config, config.hidden_sizes[-1]))


class ResNetBackbone(ResNetPreTrainedModel, BackboneMixin):
    def __init__(self, config: ResNetConfig) -> None:
        super().__init__(config)
        self._init_backbone(config)
        self.num_features = [config.embedding_size, *config.hidden_sizes]
        self.embedder = ResNetEmbeddings(config)
        self.encoder = ResNetEncoder(config)

    @model_forward
    def forward(self, pixel_values=None, output_hidden_states=None, return_dict=None, *, call: Call) -> Any:
        asked, call.hidden_states = call.hidden_states is not None, []
        x = self.encoder(self.embedder(pixel_values), call)
        stages = (*call.hidden_states, x)
        return BackboneOutput(feature_maps=tuple(self.select(stages)), hidden_states=stages if asked else None)
