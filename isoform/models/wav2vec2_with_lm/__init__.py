"""Wav2Vec2 decoded with a language model, through the package pyctcdecode."""

from ...registry import Arch

ARCH = Arch("wav2vec2_with_lm", "Wav2Vec2", also={"processing": "Wav2Vec2ProcessorWithLM"}, title="Wav2Vec2 with LM")
__getattr__, __dir__ = ARCH.attributes(__name__)
