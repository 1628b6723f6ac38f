"""The auto classes of models, and the tables behind them.

Each class statement is one row of the table of tasks: the name of its mapping, and the endings of the class names that
serve the task. An architecture may deviate with `Arch(auto=…)`. Nothing here imports torch.
"""

from __future__ import annotations

import warnings
from typing import Any

from .auto_factory import _BaseAutoModelClass, _LazyAutoMapping, task_names


class AutoModel(_BaseAutoModelClass, mapping="MODEL_MAPPING", heads="Model"):
    """The bare model, without a head."""


class AutoModelForPreTraining(
    _BaseAutoModelClass, mapping="MODEL_FOR_PRETRAINING_MAPPING", heads="ForPreTraining ForMaskedLM LMHeadModel"
):
    """A model with the head or heads that it was pretrained with."""


class _AutoModelWithLMHead(
    _BaseAutoModelClass,
    mapping="MODEL_WITH_LM_HEAD_MAPPING",
    heads="ForMaskedLM LMHeadModel ForConditionalGeneration ForCausalLM",
):
    """A model with some language modelling head."""


class AutoModelForCausalLM(_BaseAutoModelClass, mapping="MODEL_FOR_CAUSAL_LM_MAPPING", heads="ForCausalLM LMHeadModel"):
    """A model with a head for causal language modelling: predicting the next token."""


class AutoModelForMaskedLM(_BaseAutoModelClass, mapping="MODEL_FOR_MASKED_LM_MAPPING", heads="ForMaskedLM"):
    """A model with a head for masked language modelling: predicting tokens that are hidden."""


class AutoModelForSeq2SeqLM(
    _BaseAutoModelClass, mapping="MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING", heads="ForConditionalGeneration"
):
    """An encoder-decoder that writes text from text."""


class AutoModelForSequenceClassification(
    _BaseAutoModelClass, mapping="MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING", heads="ForSequenceClassification"
):
    """A model with a head that classifies texts, or grades them."""


class AutoModelForQuestionAnswering(
    _BaseAutoModelClass, mapping="MODEL_FOR_QUESTION_ANSWERING_MAPPING", heads="ForQuestionAnswering"
):
    """A model with a head that marks the answer to a question in a text."""


class AutoModelForTokenClassification(
    _BaseAutoModelClass, mapping="MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING", heads="ForTokenClassification"
):
    """A model with a head that classifies each token."""


class AutoModelForMultipleChoice(
    _BaseAutoModelClass, mapping="MODEL_FOR_MULTIPLE_CHOICE_MAPPING", heads="ForMultipleChoice"
):
    """A model with a head that chooses between texts."""


class AutoModelForNextSentencePrediction(
    _BaseAutoModelClass, mapping="MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING", heads="ForNextSentencePrediction"
):
    """A model with a head that tells whether one sentence follows another."""


class AutoModelForTextEncoding(_BaseAutoModelClass, mapping="MODEL_FOR_TEXT_ENCODING_MAPPING", heads="EncoderModel"):
    """A model that turns a text into hidden states, without a decoder."""


class AutoModelForTableQuestionAnswering(
    _BaseAutoModelClass, mapping="MODEL_FOR_TABLE_QUESTION_ANSWERING_MAPPING", heads=""
):
    """A model with a head that answers questions on tables."""


class AutoModelForDocumentQuestionAnswering(
    _BaseAutoModelClass, mapping="MODEL_FOR_DOCUMENT_QUESTION_ANSWERING_MAPPING", heads=""
):
    """A model with a head that answers questions on images of documents."""


class AutoModelForVisualQuestionAnswering(
    _BaseAutoModelClass, mapping="MODEL_FOR_VISUAL_QUESTION_ANSWERING_MAPPING", heads=""
):
    """A model with a head that answers questions on images."""


class AutoModelForVision2Seq(_BaseAutoModelClass, mapping="MODEL_FOR_VISION_2_SEQ_MAPPING", heads=""):
    """A model that writes text from images."""


class AutoModelForImageClassification(
    _BaseAutoModelClass, mapping="MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING", heads="ForImageClassification"
):
    """A model with a head that classifies images."""


class AutoModelForZeroShotImageClassification(
    _BaseAutoModelClass, mapping="MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING", heads=""
):
    """A model that classifies images by labels that are given as text."""


class AutoModelForImageSegmentation(
    _BaseAutoModelClass, mapping="MODEL_FOR_IMAGE_SEGMENTATION_MAPPING", heads="ForSegmentation"
):
    """A model with a head that segments images."""


class AutoModelForSemanticSegmentation(
    _BaseAutoModelClass, mapping="MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING", heads="ForSemanticSegmentation"
):
    """A model with a head that classifies each pixel."""


class AutoModelForInstanceSegmentation(
    _BaseAutoModelClass, mapping="MODEL_FOR_INSTANCE_SEGMENTATION_MAPPING", heads="ForInstanceSegmentation"
):
    """A model with a head that outlines each object."""


class AutoModelForUniversalSegmentation(
    _BaseAutoModelClass, mapping="MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING", heads="ForUniversalSegmentation"
):
    """A model with a head for segmentation of every kind."""


class AutoModelForObjectDetection(
    _BaseAutoModelClass, mapping="MODEL_FOR_OBJECT_DETECTION_MAPPING", heads="ForObjectDetection"
):
    """A model with a head that finds objects in images."""


class AutoModelForZeroShotObjectDetection(
    _BaseAutoModelClass, mapping="MODEL_FOR_ZERO_SHOT_OBJECT_DETECTION_MAPPING", heads=""
):
    """A model that finds objects that are described by text."""


class AutoModelForDepthEstimation(
    _BaseAutoModelClass, mapping="MODEL_FOR_DEPTH_ESTIMATION_MAPPING", heads="ForDepthEstimation"
):
    """A model with a head that estimates the depth of each pixel."""


class AutoModelForImageToImage(
    _BaseAutoModelClass, mapping="MODEL_FOR_IMAGE_TO_IMAGE_MAPPING", heads="ForImageSuperResolution"
):
    """A model that makes an image from an image."""


class AutoModelForMaskedImageModeling(
    _BaseAutoModelClass, mapping="MODEL_FOR_MASKED_IMAGE_MODELING_MAPPING", heads="ForMaskedImageModeling"
):
    """A model with a head that fills in hidden patches of images."""


class AutoModelForMaskGeneration(_BaseAutoModelClass, mapping="MODEL_FOR_MASK_GENERATION_MAPPING", heads=""):
    """A model that makes masks of objects from points and boxes."""


class AutoModelForVideoClassification(
    _BaseAutoModelClass, mapping="MODEL_FOR_VIDEO_CLASSIFICATION_MAPPING", heads="ForVideoClassification"
):
    """A model with a head that classifies videos."""


class AutoModelForCTC(_BaseAutoModelClass, mapping="MODEL_FOR_CTC_MAPPING", heads="ForCTC"):
    """A model with a head for connectionist temporal classification: speech to text without a decoder."""


class AutoModelForSpeechSeq2Seq(
    _BaseAutoModelClass, mapping="MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING", heads="ForSpeechToText"
):
    """An encoder-decoder that writes text from speech."""


class AutoModelForAudioClassification(
    _BaseAutoModelClass, mapping="MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING", heads="ForAudioClassification"
):
    """A model with a head that classifies recordings."""


class AutoModelForAudioFrameClassification(
    _BaseAutoModelClass, mapping="MODEL_FOR_AUDIO_FRAME_CLASSIFICATION_MAPPING", heads="ForAudioFrameClassification"
):
    """A model with a head that classifies each frame of a recording."""


class AutoModelForAudioXVector(_BaseAutoModelClass, mapping="MODEL_FOR_AUDIO_XVECTOR_MAPPING", heads="ForXVector"):
    """A model with a head that tells speakers apart, by x-vectors."""


class AutoModelForTextToSpectrogram(
    _BaseAutoModelClass, mapping="MODEL_FOR_TEXT_TO_SPECTROGRAM_MAPPING", heads="ForTextToSpeech"
):
    """A model that makes a spectrogram of speech from text."""


class AutoModelForTextToWaveform(_BaseAutoModelClass, mapping="MODEL_FOR_TEXT_TO_WAVEFORM_MAPPING", heads=""):
    """A model that makes a recording from text."""


class AutoBackbone(_BaseAutoModelClass, mapping="MODEL_FOR_BACKBONE_MAPPING", heads="Backbone"):
    """A model that gives feature maps of several stages to another model."""

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *model_args: Any, **kwargs: Any) -> Any:
        """See `AutoModel.from_pretrained`; `out_features` or `out_indices` choose the stages.

        Raises:
            ValueError: `use_timm_backbone=True` was given.
        """
        if kwargs.pop("use_timm_backbone", False):
            raise ValueError(
                "Backbones of timm are not supported: load the same network from a repository of the Hub that is in"
                " the format of this library, such as microsoft/resnet-50"
            )
        return super().from_pretrained(pretrained_model_name_or_path, *model_args, **kwargs)


class AutoModelWithLMHead(_AutoModelWithLMHead):
    """Deprecated: use `AutoModelForCausalLM`, `AutoModelForMaskedLM` or `AutoModelForSeq2SeqLM`."""

    @classmethod
    def from_config(cls, config: Any, **kwargs: Any) -> Any:
        """Deprecated; see `AutoModelForCausalLM.from_config`."""
        _warn_of_lm_head()
        return super().from_config(config, **kwargs)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *model_args: Any, **kwargs: Any) -> Any:
        """Deprecated; see `AutoModelForCausalLM.from_pretrained`."""
        _warn_of_lm_head()
        return super().from_pretrained(pretrained_model_name_or_path, *model_args, **kwargs)


def _warn_of_lm_head() -> None:
    warnings.warn(
        "`AutoModelWithLMHead` is deprecated: use `AutoModelForCausalLM` (GPT), `AutoModelForMaskedLM` (BERT) or "
        "`AutoModelForSeq2SeqLM` (T5).",
        FutureWarning,
        stacklevel=3,
    )


def _mapping(task: str, heads: str) -> _LazyAutoMapping:
    return _LazyAutoMapping(None, lambda: task_names(task, heads.split()))


_AUTO_CLASSES = [value for value in list(globals().values()) if hasattr(value, "mapping_name")]
# All tables, by name: those of the classes above, and three that have no auto class.
_MAPPINGS: dict[str, _LazyAutoMapping] = {
    **{cls.mapping_name: cls._model_mapping for cls in _AUTO_CLASSES if cls.mapping_name},
    "MODEL_FOR_CAUSAL_IMAGE_MODELING_MAPPING": _mapping("CausalImageModeling", "ForCausalImageModeling"),
    "MODEL_FOR_TIME_SERIES_CLASSIFICATION_MAPPING": _mapping("TimeSeriesClassification", "ForTimeSeriesClassification"),
    "MODEL_FOR_TIME_SERIES_REGRESSION_MAPPING": _mapping("TimeSeriesRegression", "ForRegression"),
}
globals().update(_MAPPINGS)

__all__ = [
    *(cls.__name__ for cls in _AUTO_CLASSES if not cls.__name__.startswith("_")),
    *_MAPPINGS,
]


def __getattr__(name: str) -> Any:
    """`MODEL_FOR_CAUSAL_LM_MAPPING_NAMES` and its like: model type -> name of the class."""
    table = _MAPPINGS.get(name.removesuffix("_NAMES"))
    if table is None:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return table._model_mapping
