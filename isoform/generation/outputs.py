"""What generation returns with `return_dict_in_generate=True`.

`sequences` is `(batch * num_return_sequences, length)`. Per-step records are tuples with one entry for each new token:
`scores` of `(batch * beams, vocabulary)`; attentions and hidden states of a tuple over layers, in which the first step
covers the whole prompt. `past_key_values` is the cache after the last step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..utils.generic import ModelOutput

__all__ = [
    "BeamSampleDecoderOnlyOutput",
    "BeamSampleEncoderDecoderOutput",
    "BeamSampleOutput",
    "BeamSearchDecoderOnlyOutput",
    "BeamSearchEncoderDecoderOutput",
    "BeamSearchOutput",
    "ContrastiveSearchDecoderOnlyOutput",
    "ContrastiveSearchEncoderDecoderOutput",
    "ContrastiveSearchOutput",
    "GenerateBeamDecoderOnlyOutput",
    "GenerateBeamEncoderDecoderOutput",
    "GenerateBeamOutput",
    "GenerateDecoderOnlyOutput",
    "GenerateEncoderDecoderOutput",
    "GenerateNonBeamOutput",
    "GenerateOutput",
    "GreedySearchDecoderOnlyOutput",
    "GreedySearchEncoderDecoderOutput",
    "GreedySearchOutput",
    "SampleDecoderOnlyOutput",
    "SampleEncoderDecoderOutput",
    "SampleOutput",
]

_Steps = tuple[tuple[Tensor, ...], ...] | None  # one tuple over layers per step
_Layers = tuple[Tensor, ...] | None


@dataclass
class GenerateDecoderOnlyOutput(ModelOutput):
    """Result without beams, with a decoder."""

    sequences: Tensor = None  # type: ignore[assignment]
    scores: _Layers = None
    attentions: _Steps = None
    hidden_states: _Steps = None
    past_key_values: Any = None


@dataclass
class GenerateEncoderDecoderOutput(ModelOutput):
    """Result without beams, with an encoder and a decoder."""

    sequences: Tensor = None  # type: ignore[assignment]
    scores: _Layers = None
    encoder_attentions: _Layers = None
    encoder_hidden_states: _Layers = None
    decoder_attentions: _Steps = None
    cross_attentions: _Steps = None
    decoder_hidden_states: _Steps = None
    past_key_values: Any = None


@dataclass
class GenerateBeamDecoderOnlyOutput(ModelOutput):
    """Result with beams, with a decoder.

    `sequences_scores` is `(batch * num_return_sequences,)`: log-probabilities under the length penalty. `beam_indices`
    is `(batch * num_return_sequences, length)`: the beam that each new token came from, -1 after the end.
    """

    sequences: Tensor = None  # type: ignore[assignment]
    sequences_scores: Tensor | None = None
    scores: _Layers = None
    beam_indices: Tensor | None = None
    attentions: _Steps = None
    hidden_states: _Steps = None
    past_key_values: Any = None


@dataclass
class GenerateBeamEncoderDecoderOutput(ModelOutput):
    """Result with beams, with an encoder and a decoder; fields as in `GenerateBeamDecoderOnlyOutput`."""

    sequences: Tensor = None  # type: ignore[assignment]
    sequences_scores: Tensor | None = None
    scores: _Layers = None
    beam_indices: Tensor | None = None
    encoder_attentions: _Layers = None
    encoder_hidden_states: _Layers = None
    decoder_attentions: _Steps = None
    cross_attentions: _Steps = None
    decoder_hidden_states: _Steps = None
    past_key_values: Any = None


@dataclass
class GreedySearchDecoderOnlyOutput(GenerateDecoderOnlyOutput):
    """Result of greedy search, with a decoder."""


@dataclass
class GreedySearchEncoderDecoderOutput(GenerateEncoderDecoderOutput):
    """Result of greedy search, with an encoder and a decoder."""


@dataclass
class SampleDecoderOnlyOutput(GenerateDecoderOnlyOutput):
    """Result of sampling, with a decoder."""


@dataclass
class SampleEncoderDecoderOutput(GenerateEncoderDecoderOutput):
    """Result of sampling, with an encoder and a decoder."""


@dataclass
class ContrastiveSearchDecoderOnlyOutput(GenerateDecoderOnlyOutput):
    """Result of contrastive search, with a decoder."""


@dataclass
class ContrastiveSearchEncoderDecoderOutput(GenerateEncoderDecoderOutput):
    """Result of contrastive search, with an encoder and a decoder."""


@dataclass
class BeamSearchDecoderOnlyOutput(GenerateBeamDecoderOnlyOutput):
    """Result of beam search, with a decoder."""


@dataclass
class BeamSearchEncoderDecoderOutput(GenerateBeamEncoderDecoderOutput):
    """Result of beam search, with an encoder and a decoder."""


@dataclass
class BeamSampleDecoderOnlyOutput(GenerateBeamDecoderOnlyOutput):
    """Result of beam search with sampling, with a decoder."""


@dataclass
class BeamSampleEncoderDecoderOutput(GenerateBeamEncoderDecoderOutput):
    """Result of beam search with sampling, with an encoder and a decoder."""


GreedySearchOutput = GreedySearchEncoderDecoderOutput | GreedySearchDecoderOnlyOutput
SampleOutput = SampleEncoderDecoderOutput | SampleDecoderOnlyOutput
BeamSearchOutput = BeamSearchEncoderDecoderOutput | BeamSearchDecoderOnlyOutput
BeamSampleOutput = BeamSampleEncoderDecoderOutput | BeamSampleDecoderOnlyOutput
ContrastiveSearchOutput = ContrastiveSearchEncoderDecoderOutput | ContrastiveSearchDecoderOnlyOutput
GenerateNonBeamOutput = GenerateDecoderOnlyOutput | GenerateEncoderDecoderOutput
GenerateBeamOutput = GenerateBeamDecoderOnlyOutput | GenerateBeamEncoderDecoderOutput
GenerateOutput = GreedySearchOutput | SampleOutput | BeamSearchOutput | BeamSampleOutput | ContrastiveSearchOutput
