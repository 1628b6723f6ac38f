"""BiT: a residual network with standardised weights and group normalisation (Kolesnikov et al. 2019)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...activations import ACT2FN
from ...heads import ImageClassification
from ...layers import Call, DropPath, drop_path_rates, model_forward, pair, run_layers
from ...layers.patches import check_pixels
from ...modeling_outputs import (
    BackboneOutput,
    BaseModelOutputWithPoolingAndNoAttention,
    ImageClassifierOutputWithNoAttention,
)
from ...modeling_utils import PreTrainedModel
from ...utils.backbone_utils import BackboneMixin
from .configuration_bit import BitConfig


def get_padding_value(
    padding: Any = None, kernel_size: int = 7, stride: int = 1, dilation: int = 1
) -> tuple[Any, bool]:
    """The padding of a convolution, and whether it depends on the size of the input.

    Args:
        padding: None for symmetric, "same" for TensorFlow's (as many outputs as inputs, divided by the stride), "valid"
            for none, or the padding itself.
    """
    symmetric = (stride - 1 + dilation * (kernel_size - 1)) // 2
    if padding is None:
        return symmetric, False
    if not isinstance(padding, str):
        return padding, False
    kind = padding.lower()
    if kind == "same":
        fixed = stride == 1 and dilation * (kernel_size - 1) % 2 == 0
        return (symmetric, False) if fixed else (0, True)
    return (0 if kind == "valid" else symmetric), False


class DynamicPad2d(nn.Module):
    """Pads so that a convolution or pooling gives `ceil(size / stride)` outputs; the odd pixel goes below and right."""

    def __init__(self, kernel_size: Any, stride: Any, dilation: Any, value: float = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.dilation, self.value = (*map(pair, (kernel_size, stride, dilation)), value)

    def forward(self, x: Tensor) -> Tensor:
        pads: list[Any] = []
        for size, kernel, stride, dilation in zip(x.shape[2:], self.kernel_size, self.stride, self.dilation):
            reach = (kernel - 1) * dilation + 1
            missing: Any = 0
            if reach > 1:  # a single pixel always fits
                missing = (-(-size // stride) - 1) * stride + reach - size
                missing = missing if reach >= stride else torch.sym_max(missing, 0)
            pads = [missing // 2, missing - missing // 2, *pads]  # `pad` wants the last dimension first
        return x if all(isinstance(pad, int) and pad == 0 for pad in pads) else F.pad(x, pads, value=self.value)


class WeightStandardizedConv2d(nn.Conv2d):
    """A convolution whose weights have mean 0 and variance 1 for each output channel (Qiao et al. 2019)."""

    def __init__(
        self,
        in_channel: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: Any = "SAME",
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
        eps: float = 1e-6,
    ) -> None:
        padding, dynamic = get_padding_value(padding, kernel_size, stride, dilation)
        super().__init__(in_channel, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.pad = DynamicPad2d(kernel_size, stride, dilation) if dynamic else None
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        if self.pad is not None:
            x = self.pad(x)
        rows = self.weight.flatten(1)
        weight = F.layer_norm(rows, rows.shape[1:], eps=self.eps).view_as(self.weight)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class BitGroupNormActivation(nn.GroupNorm):
    """Group normalisation and an activation."""

    def __init__(
        self,
        config: BitConfig,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        apply_activation: bool = True,
    ) -> None:
        super().__init__(config.num_groups, num_channels, eps, affine)
        self.activation = ACT2FN[config.hidden_act] if apply_activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(super().forward(x))


class BitMaxPool2d(nn.MaxPool2d):
    """Maxima of squares, with TensorFlow's padding if `use_dynamic_padding`."""

    def __init__(self, kernel_size: int, stride: int, use_dynamic_padding: bool = True) -> None:
        super().__init__(kernel_size, stride)
        self.pad = DynamicPad2d(kernel_size, stride, 1) if use_dynamic_padding else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.pad(x))


class BitEmbeddings(nn.Module):
    """The stem: a convolution and a pooling, each of which halves the resolution."""

    def __init__(self, config: BitConfig) -> None:
        super().__init__()
        self.num_channels, width = config.num_channels, config.embedding_size
        self.convolution = _conv(config, config.num_channels, width, 7, stride=2)
        self.pooler = BitMaxPool2d(3, 2, use_dynamic_padding=config.embedding_dynamic_padding)
        self.pad = nn.Identity() if config.global_padding == "SAME" else nn.ConstantPad2d(1, 0.0)
        plain = config.layer_type == "preactivation"  # the first layer normalises
        self.norm = nn.Identity() if plain else BitGroupNormActivation(config, width)

    def forward(self, pixel_values: Tensor) -> Tensor:
        check_pixels(pixel_values, self.num_channels)
        return self.pooler(self.norm(self.pad(self.convolution(pixel_values))))


def _conv(config: BitConfig, inputs: int, outputs: int, kernel: int, **options: Any) -> WeightStandardizedConv2d:
    return WeightStandardizedConv2d(inputs, outputs, kernel, padding=config.global_padding, eps=1e-8, **options)


def make_div(value: float, divisor: int = 8) -> int:
    """The multiple of `divisor` that is nearest to `value`, but at least 90 % of it."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


class BitDownsampleConv(nn.Module):
    """The shortcut of a layer that changes the number of channels or the resolution."""

    def __init__(
        self, config: BitConfig, in_channels: int, out_channels: int, stride: int = 1, preact: bool = True
    ) -> None:
        super().__init__()
        self.conv = WeightStandardizedConv2d(
            in_channels, out_channels, 1, stride, padding=config.global_padding, eps=1e-8
        )
        plain = nn.Identity()
        self.norm = plain if preact else BitGroupNormActivation(config, out_channels, apply_activation=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class BitPreActivationBottleneckLayer(nn.Module):
    """A residual block that normalises before its convolutions. Its middle does not dilate, as in the original."""

    def __init__(
        self, config: BitConfig, inputs: int, outputs: int, stride: int, dilation: int, rate: float, first: bool
    ) -> None:
        super().__init__()
        middle = make_div(outputs / 4)
        self.downsample = BitDownsampleConv(config, inputs, outputs, stride) if first else None
        self.norm1 = BitGroupNormActivation(config, inputs)
        self.conv1 = _conv(config, inputs, middle, 1)
        self.norm2 = BitGroupNormActivation(config, middle)
        self.conv2 = _conv(config, middle, middle, 3, stride=stride)
        self.norm3 = BitGroupNormActivation(config, middle)
        self.conv3 = _conv(config, middle, outputs, 1)
        self.drop_path = DropPath(rate)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        if self.downsample is not None:
            x = self.downsample(y)
        y = self.conv3(self.norm3(self.conv2(self.norm2(self.conv1(y)))))
        return x + self.drop_path(y)


class BitBottleneckLayer(nn.Module):
    """A residual block that normalises after its convolutions, as in the hybrid of ViT and ResNet."""

    def __init__(
        self, config: BitConfig, inputs: int, outputs: int, stride: int, dilation: int, rate: float, first: bool
    ) -> None:
        super().__init__()
        middle = make_div(outputs / 4)
        self.downsample = BitDownsampleConv(config, inputs, outputs, stride, preact=False) if first else None
        self.conv1 = _conv(config, inputs, middle, 1)
        self.norm1 = BitGroupNormActivation(config, middle)
        self.conv2 = _conv(config, middle, middle, 3, stride=stride, dilation=dilation)
        self.norm2 = BitGroupNormActivation(config, middle)
        self.conv3 = _conv(config, middle, outputs, 1)
        self.norm3 = BitGroupNormActivation(config, outputs, apply_activation=False)
        self.drop_path = DropPath(rate)
        self.activation = ACT2FN[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(self.conv1(x))
        y = self.norm3(self.conv3(self.norm2(self.conv2(y))))
        if self.downsample is not None:
            x = self.downsample(x)
        return self.activation(x + self.drop_path(y))


class BitStage(nn.Module):
    def __init__(
        self, config: BitConfig, inputs: int, outputs: int, stride: int, dilation: int, rates: list[float]
    ) -> None:
        super().__init__()
        bottleneck = config.layer_type == "bottleneck"
        layer: Any = BitBottleneckLayer if bottleneck else BitPreActivationBottleneckLayer
        layers = [layer(config, inputs, outputs, stride, 1 if dilation in (1, 2) else 2, rates[0], True)]
        layers += [layer(config, outputs, outputs, 1, dilation, rate, False) for rate in rates[1:]]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor, call: Call | None = None) -> Tensor:
        return self.layers(x)


class BitEncoder(nn.Module):
    """The stages.

    Attributes:
        widths: channels of the stem and of each stage.
    """

    def __init__(self, config: BitConfig) -> None:
        super().__init__()
        rates = drop_path_rates(config.drop_path_rate, sum(config.depths))
        self.widths = [config.embedding_size]
        self.stages = nn.ModuleList()
        total, dilation = 4, 1  # stride of the stem
        for i, (size, depth) in enumerate(zip(config.hidden_sizes, config.depths)):
            stride = 1 if i == 0 else 2
            if total >= config.output_stride:
                stride, dilation = 1, dilation * stride
            total *= stride
            first, width = sum(config.depths[:i]), make_div(size * config.width_factor)
            own = rates[first : first + depth]
            self.stages.append(BitStage(config, self.widths[-1], width, stride, dilation, own))
            self.widths.append(width)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return run_layers(self.stages, x, call)


class BitPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, main_input_name = BitConfig, "bit", "pixel_values"
    input_embeddings = "embedder.convolution"

    def _init_weights(self, module: nn.Module) -> None:
        # Norms start at one already, and the classifier keeps torch's own initial weights.
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class BitModel(BitPreTrainedModel):
    def __init__(self, config: BitConfig) -> None:
        super().__init__(config)
        self.embedder = BitEmbeddings(config)
        self.encoder = BitEncoder(config)
        last = BitGroupNormActivation(config, self.encoder.widths[-1])
        self.norm = last if config.layer_type == "preactivation" else nn.Identity()
        self.pooler = nn.AdaptiveAvgPool2d((1, 1))

    @model_forward
    def forward(self, pixel_values=None, output_hidden_states=None, return_dict=None, *, call: Call) -> Any:
        x = self.encoder(self.embedder(pixel_values), call)
        last = self.norm(x)
        return call.finish(
            x,
            BaseModelOutputWithPoolingAndNoAttention,
            last_hidden_state=last,
            pooler_output=last.mean((-2, -1), keepdim=True),
        )


class BitForImageClassification(
    ImageClassification,
    BitPreTrainedModel,
    body=BitModel,
    pool="pooled",
    output=ImageClassifierOutputWithNoAttention,
    signature="pixel_values labels output_hidden_states return_dict",
):
    def build_head(self, config: BitConfig) -> None:
        self.num_labels = config.num_labels
        self.classifier = nn.Sequential(nn.Flatten(), self.build_classifier(config, self.bit.encoder.widths[-1]))


class BitBackbone(BitPreTrainedModel, BackboneMixin):
    def __init__(self, config: BitConfig) -> None:
        super().__init__(config)
        self._init_backbone(config)
        self.bit = BitModel(config)
        self.num_features = self.bit.encoder.widths

    @model_forward
    def forward(self, pixel_values=None, output_hidden_states=None, return_dict=None, *, call: Call) -> Any:
        stages = self.bit(pixel_values, output_hidden_states=True, return_dict=True).hidden_states
        asked = call.hidden_states is not None
        return BackboneOutput(feature_maps=tuple(self.select(stages)), hidden_states=stages if asked else None)
