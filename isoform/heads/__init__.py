"""Task heads: a body plus a projection and a loss, each written once; model files name them in one-line subclasses."""

from .audio import CTC, FrameScore, MeanScore, XVector
from .lm import CausalLM, MaskedLM
from .seq2seq import EncoderDecoder, EndTokenScore, Seq2SeqLM, Seq2SeqQA
from .text import ExtractiveQA, LastTokenScore, ModuleScore, MultipleChoice, PooledScore, TokenScore
from .vision import ImageClassification, MaskedImageModeling

__all__ = [
    "CTC",
    "CausalLM",
    "EncoderDecoder",
    "EndTokenScore",
    "ExtractiveQA",
    "FrameScore",
    "ImageClassification",
    "LastTokenScore",
    "MaskedImageModeling",
    "MaskedLM",
    "MeanScore",
    "ModuleScore",
    "MultipleChoice",
    "PooledScore",
    "Seq2SeqLM",
    "Seq2SeqQA",
    "TokenScore",
    "XVector",
]
