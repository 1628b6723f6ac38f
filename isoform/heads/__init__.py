"""Task heads: a body plus a projection and a loss, each written once and named by one-line subclasses in the model files."""

from .lm import CausalLM
from .text import ExtractiveQA, LastTokenScore, TokenScore

__all__ = ["CausalLM", "ExtractiveQA", "LastTokenScore", "TokenScore"]
