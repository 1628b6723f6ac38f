"""Heads over encoders of sound: transcription, classification of recordings and of frames, and x-vectors."""

from __future__ import annotations

import warnings
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers.dropout import Dropout
from ..modeling_outputs import CausalLMOutput, SequenceClassifierOutput, TokenClassifierOutput, XVectorOutput
from .base import Head, recorded
from .losses import token_loss

_INPUTS = "input_values attention_mask"
_FLAGS = "output_attentions output_hidden_states return_dict"
LABELS_LAST = f"{_INPUTS} {_FLAGS} labels"
LABELS_FIRST = f"{_INPUTS} labels {_FLAGS}"


class SpeechHead(Head):
    """What the heads over speech encoders share.

    The model's base class has `_get_feat_extract_output_lengths` and `_get_feature_vector_attention_mask`, its body
    `freeze_feature_encoder`.
    """

    base_model: Any
    config: Any

    def freeze_feature_extractor(self) -> None:
        """Deprecated: use `freeze_feature_encoder`."""
        warnings.warn("freeze_feature_extractor is now called freeze_feature_encoder", FutureWarning, stacklevel=2)
        self.freeze_feature_encoder()

    def freeze_feature_encoder(self) -> None:
        """Keep the convolutions that make features of the waveform from being trained."""
        self.base_model.freeze_feature_encoder()

    def freeze_base_model(self) -> None:
        """Keep everything but the head from being trained."""
        self.base_model.requires_grad_(False)


class WeightedSum(SpeechHead):
    """The last layer's states, or with `config.use_weighted_layer_sum` a learned average of those of all layers."""

    def build_head(self, config: Any) -> None:
        if getattr(config, "add_adapter", False):
            raise ValueError(
                f"{type(self).__name__} does not support adapters that shorten the output: set config.add_adapter=False"
            )
        self.num_labels = config.num_labels
        if config.use_weighted_layer_sum:
            layers = config.num_hidden_layers + 1  # with the input of the first
            self.layer_weights = nn.Parameter(torch.full((layers,), 1 / layers))

    def states(self, inputs: dict[str, Any]) -> tuple[Tensor, Any]:
        """Hidden states `(batch, positions, hidden)`, and the body's output."""
        if not self.config.use_weighted_layer_sum:
            outputs = self.run_body(inputs)
            return outputs.last_hidden_state, outputs
        outputs = self.run_body({**inputs, "output_hidden_states": True})
        stacked = torch.stack(outputs.hidden_states)
        return torch.einsum("l,lbsh->bsh", self.layer_weights.softmax(-1), stacked), outputs


class CTC(SpeechHead):
    """Transcription by connectionist temporal classification (Graves et al. 2006); `pad_token_id` is the blank."""

    described = {"labels": "(batch, tokens): the ids that are heard, in order; -100 for padding."}

    def build_head(self, config: Any) -> None:
        if config.vocab_size is None:
            raise ValueError(
                f"{type(self).__name__} needs the size of the vocabulary: pass vocab_size=… to from_pretrained, or set"
                " it in the configuration"
            )
        self.dropout = Dropout(config.final_dropout)
        adapted = getattr(config, "add_adapter", False)
        self.lm_head = nn.Linear(config.output_hidden_size if adapted else config.hidden_size, config.vocab_size)

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> CausalLMOutput:
        outputs = self.run_body(inputs)
        logits = self.lm_head(self.dropout(outputs.last_hidden_state))
        loss = None if labels is None else self._ctc_loss(logits, labels, inputs)
        return CausalLMOutput(loss=loss, logits=logits, **recorded(outputs, CausalLMOutput))

    def _ctc_loss(self, logits: Tensor, labels: Tensor, inputs: dict[str, Any]) -> Tensor:
        config = self.config
        if labels.max() >= config.vocab_size:
            raise ValueError(f"Label values must be below vocab_size: {config.vocab_size}, found {int(labels.max())}")
        mask = inputs.get("attention_mask")
        if mask is None:
            mask = torch.ones_like(inputs["input_values"], dtype=torch.long)
        lengths = self._get_feat_extract_output_lengths(mask.sum(-1)).long()  # type: ignore[attr-defined]
        real = labels >= 0  # others are padding
        log_probs = logits.log_softmax(-1, dtype=torch.float32).transpose(0, 1)
        with torch.backends.cudnn.flags(enabled=False):
            return F.ctc_loss(
                log_probs,
                labels.masked_select(real),
                lengths,
                real.sum(-1),
                blank=config.pad_token_id,
                reduction=config.ctc_loss_reduction,
                zero_infinity=config.ctc_zero_infinity,
            )


class MeanScore(WeightedSum):
    """Classification of a recording by the mean of its states."""

    described = {"labels": "(batch,): the class of each recording."}

    def build_head(self, config: Any) -> None:
        super().build_head(config)
        self.projector = nn.Linear(config.hidden_size, config.classifier_proj_size)
        self.classifier = nn.Linear(config.classifier_proj_size, config.num_labels)

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> SequenceClassifierOutput:
        states, outputs = self.states(inputs)
        states = self.projector(states)
        mask = inputs.get("attention_mask")
        if mask is None:
            pooled = states.mean(1)
        else:
            real = self._get_feature_vector_attention_mask(states.shape[1], mask)[..., None]  # type: ignore[attr-defined]
            pooled = (states * real).sum(1) / real.sum(1)
        logits = self.classifier(pooled)
        loss = None if labels is None else token_loss(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits, **recorded(outputs, SequenceClassifierOutput))


class FrameScore(WeightedSum):
    """Classification of each position; labels are one-hot, `(batch, positions, labels)`."""

    described = {"labels": "(batch, frames, labels): one-hot classes of each frame."}

    def build_head(self, config: Any) -> None:
        super().build_head(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> TokenClassifierOutput:
        states, outputs = self.states(inputs)
        logits = self.classifier(states)
        loss = None if labels is None else token_loss(logits, labels.view(-1, self.num_labels).argmax(-1))
        return TokenClassifierOutput(loss=loss, logits=logits, **recorded(outputs, TokenClassifierOutput))


class AMSoftmaxLoss(nn.Module):
    """Cross-entropy of cosines, with a margin that the right speaker must win by (Wang et al. 2018)."""

    def __init__(self, input_dim: int, num_labels: int, scale: float = 30.0, margin: float = 0.4) -> None:
        super().__init__()
        self.scale, self.margin, self.num_labels = scale, margin, num_labels
        self.weight = nn.Parameter(torch.randn(input_dim, num_labels))

    def forward(self, hidden_states: Tensor, labels: Tensor) -> Tensor:
        labels = labels.flatten()
        cosines = F.normalize(hidden_states, dim=1) @ F.normalize(self.weight, dim=0)
        margin = self.margin * F.one_hot(labels, self.num_labels)
        return F.cross_entropy(self.scale * (cosines - margin), labels)


class TDNNLayer(nn.Module):
    """A dilated convolution over time, kept as a linear layer over the positions that it sees."""

    def __init__(self, config: Any, layer_id: int = 0) -> None:
        super().__init__()
        self.in_conv_dim = config.tdnn_dim[max(layer_id - 1, 0)]
        self.out_conv_dim = config.tdnn_dim[layer_id]
        self.kernel_size, self.dilation = config.tdnn_kernel[layer_id], config.tdnn_dilation[layer_id]
        self.kernel = nn.Linear(self.in_conv_dim * self.kernel_size, self.out_conv_dim)
        self.activation = nn.ReLU()

    def forward(self, hidden_states: Tensor) -> Tensor:
        weight = self.kernel.weight.unflatten(1, (self.kernel_size, self.in_conv_dim)).transpose(1, 2)
        states = F.conv1d(hidden_states.transpose(1, 2), weight, self.kernel.bias, dilation=self.dilation)
        return self.activation(states.transpose(1, 2))


class XVector(WeightedSum):
    """Embeddings of speakers (Snyder et al. 2018): convolutions, mean and deviation over time, projection."""

    described = {"labels": "(batch,): the speaker of each recording."}

    def build_head(self, config: Any) -> None:
        super().build_head(config)
        self.projector = nn.Linear(config.hidden_size, config.tdnn_dim[0])
        self.tdnn = nn.ModuleList(TDNNLayer(config, i) for i in range(len(config.tdnn_dim)))
        self.feature_extractor = nn.Linear(config.tdnn_dim[-1] * 2, config.xvector_output_dim)
        self.classifier = nn.Linear(config.xvector_output_dim, config.xvector_output_dim)
        self.objective = AMSoftmaxLoss(config.xvector_output_dim, config.num_labels)

    def _get_tdnn_output_lengths(self, input_lengths: Any) -> Any:
        """Positions of so many that the statistics are of: what undilated convolutions would leave, as documented."""
        for width in self.config.tdnn_kernel:
            input_lengths = input_lengths - (width - 1)
        return input_lengths

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> XVectorOutput:
        states, outputs = self.states(inputs)
        states = self.projector(states)
        for layer in self.tdnn:
            states = layer(states)
        mask = inputs.get("attention_mask")
        if mask is None:
            mean, deviation = states.mean(1), states.std(1)
        else:
            lengths = self._get_feat_extract_output_lengths(mask.sum(1))  # type: ignore[attr-defined]
            mean, deviation = _statistics(states, self._get_tdnn_output_lengths(lengths))
        embeddings = self.feature_extractor(torch.cat((mean, deviation), -1))
        logits = self.classifier(embeddings)
        loss = None if labels is None else self.objective(logits, labels)
        return XVectorOutput(loss=loss, logits=logits, embeddings=embeddings, **recorded(outputs, XVectorOutput))


def _statistics(states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over the first `lengths` positions of each row of `(batch, positions, channels)`."""
    real = (torch.arange(states.shape[1], device=states.device) < lengths[:, None])[..., None]
    lengths = lengths[:, None].clamp(min=1, max=states.shape[1])
    mean = (states * real).sum(1) / lengths
    variance = ((states - mean[:, None]) * real).square().sum(1) / (lengths - 1)
    spread = variance > 0  # the root has no derivative at 0
    return mean, torch.where(spread, variance, 1.0).sqrt() * spread
