"""CLAP (Wu et al. 2023)."""

from ...registry import Arch

ARCH = Arch(
    "clap",
    "Clap",
    torch="Model TextModel TextModelWithProjection AudioModel AudioModelWithProjection",
    tokenizer=("RobertaTokenizer", "RobertaTokenizerFast"),
    feature_extractor="ClapFeatureExtractor",
    processor="ClapProcessor",
    also={
        "configuration": "ClapTextConfig ClapAudioConfig",
        "modeling": "CLAP_PRETRAINED_MODEL_ARCHIVE_LIST",
    },
    title="CLAP",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
