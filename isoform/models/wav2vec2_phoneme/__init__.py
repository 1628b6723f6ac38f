"""Wav2Vec2Phoneme (Xu et al. 2021): Wav2Vec2's model with phonemes as its vocabulary."""

from ...registry import Arch

ARCH = Arch("wav2vec2_phoneme", "Wav2Vec2Phoneme", tokenizer=("Wav2Vec2PhonemeCTCTokenizer", None))
__getattr__, __dir__ = ARCH.attributes(__name__)
