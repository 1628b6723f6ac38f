"""Task heads: a body plus a projection and a loss, each written once; model files name them in one-line subclasses."""

from .lm import CausalLM
from .text import ExtractiveQA, LastTokenScore, TokenScore

__all__ = ["CausalLM", "ExtractiveQA", "LastTokenScore", "TokenScore"]
