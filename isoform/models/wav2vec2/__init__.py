"""Wav2Vec2 (Baevski et al. 2020)."""

from ...registry import Arch

ARCH = Arch(
    "wav2vec2",
    "Wav2Vec2",
    torch="Model ForPreTraining ForMaskedLM ForCTC ForSequenceClassification ForAudioFrameClassification ForXVector",
    tokenizer=("Wav2Vec2CTCTokenizer", None),
    feature_extractor="Wav2Vec2FeatureExtractor",
    processor="Wav2Vec2Processor",
    auto={"SequenceClassification": None, "AudioClassification": "ForSequenceClassification"},
    also={
        "modeling": "WAV_2_VEC_2_PRETRAINED_MODEL_ARCHIVE_LIST",
        "configuration": "WAV_2_VEC_2_PRETRAINED_CONFIG_ARCHIVE_MAP",
        "tokenization": "Wav2Vec2Tokenizer",
    },
)
__getattr__, __dir__ = ARCH.attributes(__name__)
