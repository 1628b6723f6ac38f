"""Text generation: options, the decoding loop and its strategies, processors of scores, stopping criteria, streamers.

Names load on first use, since `GenerationConfig` needs no torch while all else does.
"""

from __future__ import annotations

import importlib
from typing import Any

_NAMES = {
    "configuration_utils": "GenerationConfig",
    "streamers": "BaseStreamer TextIteratorStreamer TextStreamer",
    "beam_constraints": "Constraint ConstraintListState DisjunctiveConstraint PhrasalConstraint",
    "beam_search": "BeamHypotheses BeamScorer BeamSearchScorer ConstrainedBeamSearchScorer",
    "candidate_generator": "AssistedCandidateGenerator CandidateGenerator",
    "logits_process": """AlternatingCodebooksLogitsProcessor ClassifierFreeGuidanceLogitsProcessor
        EncoderNoRepeatNGramLogitsProcessor EncoderRepetitionPenaltyLogitsProcessor EpsilonLogitsWarper EtaLogitsWarper
        ExponentialDecayLengthPenalty ForcedBOSTokenLogitsProcessor ForcedEOSTokenLogitsProcessor
        ForceTokensLogitsProcessor HammingDiversityLogitsProcessor InfNanRemoveLogitsProcessor LogitNormalization
        LogitsProcessor LogitsProcessorList LogitsWarper MinLengthLogitsProcessor MinNewTokensLengthLogitsProcessor
        NoBadWordsLogitsProcessor NoRepeatNGramLogitsProcessor PrefixConstrainedLogitsProcessor
        RepetitionPenaltyLogitsProcessor SequenceBiasLogitsProcessor SuppressTokensAtBeginLogitsProcessor
        SuppressTokensLogitsProcessor TemperatureLogitsWarper TopKLogitsWarper TopPLogitsWarper TypicalLogitsWarper
        UnbatchedClassifierFreeGuidanceLogitsProcessor WhisperTimeStampLogitsProcessor""",
    "stopping_criteria": """MaxLengthCriteria MaxNewTokensCriteria MaxTimeCriteria StoppingCriteria StoppingCriteriaList
        validate_stopping_criteria""",
    "utils": """BeamSampleDecoderOnlyOutput BeamSampleEncoderDecoderOutput BeamSearchDecoderOnlyOutput
        BeamSearchEncoderDecoderOutput ContrastiveSearchDecoderOnlyOutput ContrastiveSearchEncoderDecoderOutput
        GenerateBeamDecoderOnlyOutput GenerateBeamEncoderDecoderOutput GenerateDecoderOnlyOutput
        GenerateEncoderDecoderOutput GenerationMixin GenerationMode GreedySearchDecoderOnlyOutput
        GreedySearchEncoderDecoderOutput SampleDecoderOnlyOutput SampleEncoderDecoderOutput top_k_top_p_filtering""",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        if name in _NAMES:  # a submodule that is not loaded yet
            return importlib.import_module(f".{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, *_NAMES]
