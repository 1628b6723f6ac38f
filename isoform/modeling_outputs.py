"""The outputs of PyTorch models.

Most are put together from the parts below, which say once what each field is. Python lists the fields of the *last*
base first, so read the bases of a class from right to left: `(_States, _Past, _Logits, _Loss)` has the fields `loss`,
`logits`, `past_key_values`, `hidden_states`, `attentions`, in this order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from .utils.outputs import ModelOutput, register_pytrees

register_pytrees()  # `ModelOutput`s that were made before torch was loaded

Tensor = torch.Tensor | None
Tensors = tuple[torch.Tensor, ...] | None

# -- Parts --


@dataclass
class _Loss(ModelOutput):
    """`loss`: a scalar, where labels were given."""

    loss: Tensor = None


@dataclass
class _Logits(ModelOutput):
    """`logits`: scores before the softmax; (batch, classes), or (batch, sequence, classes) for one per token."""

    logits: Tensor = None


@dataclass
class _Span(ModelOutput):
    """`start_logits`, `end_logits`: scores of each token as the first and the last of an answer, (batch, sequence)."""

    start_logits: Tensor = None
    end_logits: Tensor = None


@dataclass
class _Reconstruction(ModelOutput):
    """`reconstruction`: an image, (batch, channels, height, width)."""

    reconstruction: Tensor = None


@dataclass
class _Last(ModelOutput):
    """`last_hidden_state`: the output of the last layer, (batch, sequence, hidden)."""

    last_hidden_state: Tensor = None


@dataclass
class _Pooled(ModelOutput):
    """`pooler_output`: one vector for each sequence or image, (batch, hidden)."""

    pooler_output: Tensor = None


@dataclass
class _Past(ModelOutput):
    """`past_key_values`: the cache of a decoder, to pass to the next call.

    Indexed by layer, then 0 (keys) and 1 (values), each (batch, heads, length, head size). Decoders with an encoder add
    2 and 3: keys and values of the encoder's output.
    """

    past_key_values: Any = None


@dataclass
class _HiddenStates(ModelOutput):
    """`hidden_states`: of the embeddings and of each layer, (batch, sequence, hidden), if asked for.

    Vision models may give (batch, channels, height, width).
    """

    hidden_states: Tensors = None


@dataclass
class _Attentions(ModelOutput):
    """`attentions`: the weights after the softmax of each layer, (batch, heads, sequence, sequence), if asked for."""

    attentions: Tensors = None


@dataclass
class _States(_Attentions, _HiddenStates):
    """What every layer records, if asked for."""


@dataclass
class _CrossAttentions(ModelOutput):
    """`cross_attentions`: weights of the decoder over the encoder's output, (batch, heads, sequence, encoder's)."""

    cross_attentions: Tensors = None


@dataclass
class _DecoderStates(ModelOutput):
    """`hidden_states` and `attentions` of a decoder that has an encoder."""

    decoder_hidden_states: Tensors = None
    decoder_attentions: Tensors = None


@dataclass
class _Encoder(ModelOutput):
    """The output of an encoder, its `hidden_states` and `attentions`."""

    encoder_last_hidden_state: Tensor = None
    encoder_hidden_states: Tensors = None
    encoder_attentions: Tensors = None


@dataclass
class _EncoderDecoder(_Encoder, _CrossAttentions, _DecoderStates, _Past):
    """What a decoder with an encoder records."""


@dataclass
class _RouterLogits(ModelOutput):
    """`router_logits`: scores of the experts for each token, one tensor for each layer with experts."""

    router_logits: Tensors = None


@dataclass
class _RouterProbabilities(ModelOutput):
    """`router_probs`: probabilities of the experts for each token, one tensor for each layer with experts."""

    router_probs: Tensors = None


@dataclass
class _Scaling(ModelOutput):
    """How a time series was normalised, (batch, 1 or variables), and its features that do not change with time."""

    loc: Tensor = None
    scale: Tensor = None
    static_features: Tensor = None


# -- Models without a head --


@dataclass
class BaseModelOutput(_States, _Last):
    """Of an encoder."""


@dataclass
class BaseModelOutputWithNoAttention(_HiddenStates, _Last):
    """Of an encoder without attention, such as a convolutional network."""


@dataclass
class BaseModelOutputWithPooling(_States, _Pooled, _Last):
    """Of an encoder that also pools."""


@dataclass
class BaseModelOutputWithPoolingAndNoAttention(_HiddenStates, _Pooled, _Last):
    """Of an encoder without attention that also pools."""


@dataclass
class BaseModelOutputWithPoolingAndProjection(_States, _Pooled, _Last):
    """Of an encoder that also pools and projects."""

    projection_state: Tensors = None


@dataclass
class BaseModelOutputWithPast(_States, _Past, _Last):
    """Of a decoder."""


@dataclass
class BaseModelOutputWithCrossAttentions(_CrossAttentions, _States, _Last):
    """Of an encoder with cross-attention."""


@dataclass
class BaseModelOutputWithPoolingAndCrossAttentions(_CrossAttentions, _Attentions, _Past, _HiddenStates, _Pooled, _Last):
    """Of a model that serves as encoder or as decoder, and also pools."""


@dataclass
class BaseModelOutputWithPastAndCrossAttentions(_CrossAttentions, _States, _Past, _Last):
    """Of a decoder with cross-attention."""


@dataclass
class Seq2SeqModelOutput(_EncoderDecoder, _Last):
    """Of an encoder and decoder; `last_hidden_state` is the decoder's."""


@dataclass
class Wav2Vec2BaseModelOutput(ModelOutput):
    """Of a speech encoder; `extract_features` is the output of its convolutions, (batch, sequence, channels)."""

    last_hidden_state: Tensor = None
    extract_features: Tensor = None
    hidden_states: Tensors = None
    attentions: Tensors = None


@dataclass
class BackboneOutput(ModelOutput):
    """Of a backbone; `feature_maps` holds (batch, channels, height, width) of each stage that was asked for."""

    feature_maps: Tensors = None
    hidden_states: Tensors = None
    attentions: Tensors = None


# -- Mixtures of experts --


@dataclass
class MoEModelOutput(_RouterProbabilities, _States, _Last):
    """Of an encoder with experts."""


@dataclass
class MoeModelOutputWithPast(_RouterLogits, _States, _Past, _Last):
    """Of a decoder with experts."""


@dataclass
class MoEModelOutputWithPastAndCrossAttentions(_RouterProbabilities, _CrossAttentions, _States, _Past, _Last):
    """Of a decoder with experts and cross-attention."""


@dataclass
class MoECausalLMOutputWithPast(_States, _Past, _Logits, _Loss):
    """Of a causal language model with experts, with the losses that keep the experts balanced (scalars)."""

    z_loss: Tensor = None
    aux_loss: Tensor = None
    router_logits: Tensors = None


@dataclass
class MoeCausalLMOutputWithPast(ModelOutput):
    """Of a causal language model with experts, with the loss that keeps the experts balanced (a scalar)."""

    loss: Tensor = None
    aux_loss: Tensor = None
    logits: Tensor = None
    past_key_values: Any = None
    hidden_states: Tensors = None
    attentions: Tensors = None
    router_logits: Tensors = None


@dataclass
class Seq2SeqMoEModelOutput(ModelOutput):
    """Of an encoder and decoder with experts."""

    last_hidden_state: Tensor = None
    past_key_values: Any = None
    decoder_hidden_states: Tensors = None
    decoder_attentions: Tensors = None
    decoder_router_logits: Tensors = None
    cross_attentions: Tensors = None
    encoder_last_hidden_state: Tensor = None
    encoder_hidden_states: Tensors = None
    encoder_attentions: Tensors = None
    encoder_router_logits: Tensors = None


@dataclass
class Seq2SeqMoEOutput(ModelOutput):
    """Of an encoder and decoder with experts and a language model head, with the losses that balance the experts."""

    loss: Tensor = None
    logits: Tensor = None
    encoder_z_loss: Tensor = None
    decoder_z_loss: Tensor = None
    encoder_aux_loss: Tensor = None
    decoder_aux_loss: Tensor = None
    past_key_values: Any = None
    decoder_hidden_states: Tensors = None
    decoder_attentions: Tensors = None
    decoder_router_logits: Tensors = None
    cross_attentions: Tensors = None
    encoder_last_hidden_state: Tensor = None
    encoder_hidden_states: Tensors = None
    encoder_attentions: Tensors = None
    encoder_router_logits: Tensors = None


# -- Text heads --


@dataclass
class CausalLMOutput(_States, _Logits, _Loss):
    """Of a causal language model without a cache; `logits` is (batch, sequence, vocabulary)."""


@dataclass
class CausalLMOutputWithPast(_States, _Past, _Logits, _Loss):
    """Of a causal language model; `logits` is (batch, sequence, vocabulary)."""


@dataclass
class CausalLMOutputWithCrossAttentions(_CrossAttentions, _States, _Past, _Logits, _Loss):
    """Of a causal language model with cross-attention; `logits` is (batch, sequence, vocabulary)."""


@dataclass
class MaskedLMOutput(_States, _Logits, _Loss):
    """Of a masked language model; `logits` is (batch, sequence, vocabulary)."""


@dataclass
class Seq2SeqLMOutput(_EncoderDecoder, _Logits, _Loss):
    """Of an encoder and decoder with a language model head; `logits` is (batch, sequence, vocabulary)."""


@dataclass
class NextSentencePredictorOutput(_States, _Logits, _Loss):
    """Of a model that tells whether a sentence follows another; `logits` is (batch, 2)."""


@dataclass
class SequenceClassifierOutput(_States, _Logits, _Loss):
    """Of a classifier or, with one class, a regression of sequences; `logits` is (batch, classes)."""


@dataclass
class SequenceClassifierOutputWithPast(_States, _Past, _Logits, _Loss):
    """Of a decoder that classifies sequences; `logits` is (batch, classes)."""


@dataclass
class Seq2SeqSequenceClassifierOutput(_EncoderDecoder, _Logits, _Loss):
    """Of an encoder and decoder that classify sequences; `logits` is (batch, classes)."""


@dataclass
class MultipleChoiceModelOutput(_States, _Logits, _Loss):
    """Of a model that picks one of several texts; `logits` is (batch, choices)."""


@dataclass
class TokenClassifierOutput(_States, _Logits, _Loss):
    """Of a classifier of tokens; `logits` is (batch, sequence, classes)."""


@dataclass
class QuestionAnsweringModelOutput(_States, _Span, _Loss):
    """Of a model that marks the answer in a text."""


@dataclass
class Seq2SeqQuestionAnsweringModelOutput(_EncoderDecoder, _Span, _Loss):
    """Of an encoder and decoder that mark the answer in a text."""


# -- Vision heads --


@dataclass
class ImageClassifierOutput(_States, _Logits, _Loss):
    """Of a classifier of images; `logits` is (batch, classes)."""


@dataclass
class ImageClassifierOutputWithNoAttention(_HiddenStates, _Logits, _Loss):
    """Of a classifier of images without attention; `logits` is (batch, classes)."""


@dataclass
class SemanticSegmenterOutput(_States, _Logits, _Loss):
    """Of a classifier of pixels; `logits` is (batch, classes, height, width), smaller than the image."""


@dataclass
class DepthEstimatorOutput(ModelOutput):
    """Of a model that estimates depth; `predicted_depth` is (batch, height, width)."""

    loss: Tensor = None
    predicted_depth: Tensor = None
    hidden_states: Tensors = None
    attentions: Tensors = None


@dataclass
class ImageSuperResolutionOutput(_States, _Reconstruction, _Loss):
    """Of a model that enlarges images; `reconstruction` may be larger than the input."""


@dataclass
class MaskedImageModelingOutput(_States, _Reconstruction, _Loss):
    """Of a model that fills in masked patches of images."""

    @property
    def logits(self) -> Tensor:
        """The former name of `reconstruction`."""
        import warnings

        warnings.warn("`logits` is deprecated: use `reconstruction`.", FutureWarning, stacklevel=2)
        return self.reconstruction


# -- Audio heads --


@dataclass
class XVectorOutput(ModelOutput):
    """Of a model that tells speakers apart; `embeddings` and `logits` are (batch, size of the x-vector)."""

    loss: Tensor = None
    logits: Tensor = None
    embeddings: Tensor = None
    hidden_states: Tensors = None
    attentions: Tensors = None


@dataclass
class Seq2SeqSpectrogramOutput(ModelOutput):
    """Of a model that speaks; `spectrogram` is (batch, frames, bins)."""

    loss: Tensor = None
    spectrogram: Tensor = None
    past_key_values: Any = None
    decoder_hidden_states: Tensors = None
    decoder_attentions: Tensors = None
    cross_attentions: Tensors = None
    encoder_last_hidden_state: Tensor = None
    encoder_hidden_states: Tensors = None
    encoder_attentions: Tensors = None


# -- Time series --


@dataclass
class Seq2SeqTSModelOutput(_Scaling, _EncoderDecoder, _Last):
    """Of an encoder and decoder of time series."""


@dataclass
class _Parameters(ModelOutput):
    """`params`: of the distribution of each predicted value."""

    params: Tensors = None


@dataclass
class Seq2SeqTSPredictionOutput(_Scaling, _EncoderDecoder, _Parameters, _Loss):
    """Of a forecast as a distribution."""


@dataclass
class SampleTSPredictionOutput(ModelOutput):
    """Of a forecast as samples; `sequences` is (batch, samples, steps) or (batch, samples, steps, variables)."""

    sequences: Tensor = None
