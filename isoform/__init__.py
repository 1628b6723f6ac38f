"""isoform: one PyTorch definition of a model, usable from PyTorch, JAX, TensorFlow and ONNX.

The public API is that of `transformers` 4.36. Names are imported when they are first used, so `import isoform` is
quick and loads no framework.
"""

from __future__ import annotations

import functools

from . import registry
from .registry import Export, lazy_namespace

__version__ = "0.1.0"

# Module -> the names that `isoform` exports from it. Classes of architectures come from the registry instead, and the
# auto classes and tables from `models.auto`.
NAMES: dict[str, str] = {
    "cache_utils": "Cache DynamicCache SinkCache StaticCache",
    "configuration_utils": "PretrainedConfig",
    "convert_slow_tokenizer": "SLOW_TO_FAST_CONVERTERS convert_slow_tokenizer",
    "data.metrics": "glue_compute_metrics xnli_compute_metrics",
    "data.processors": "DataProcessor InputExample InputFeatures SingleSentenceClassificationProcessor SquadExample "
    "SquadFeatures SquadV1Processor SquadV2Processor glue_convert_examples_to_features glue_output_modes "
    "glue_processors glue_tasks_num_labels squad_convert_examples_to_features xnli_output_modes xnli_processors "
    "xnli_tasks_num_labels",
    "errors": "CheckpointError ConfigError ConfigFileError GenerationError HubError IsoformError MissingExtraError "
    "RemoteCodeError TokenizerError UnknownModelTypeError",
    "feature_extraction_sequence_utils": "SequenceFeatureExtractor",
    "feature_extraction_utils": "BatchFeature FeatureExtractionMixin",
    "generation": "AlternatingCodebooksLogitsProcessor BeamScorer BeamSearchScorer "
    "ClassifierFreeGuidanceLogitsProcessor ConstrainedBeamSearchScorer Constraint ConstraintListState "
    "DisjunctiveConstraint EncoderNoRepeatNGramLogitsProcessor EncoderRepetitionPenaltyLogitsProcessor "
    "EpsilonLogitsWarper EtaLogitsWarper ExponentialDecayLengthPenalty ForceTokensLogitsProcessor "
    "ForcedBOSTokenLogitsProcessor ForcedEOSTokenLogitsProcessor GenerationConfig GenerationMixin "
    "HammingDiversityLogitsProcessor InfNanRemoveLogitsProcessor LogitNormalization LogitsProcessor "
    "LogitsProcessorList LogitsWarper MaxLengthCriteria MaxTimeCriteria MinLengthLogitsProcessor "
    "MinNewTokensLengthLogitsProcessor NoBadWordsLogitsProcessor NoRepeatNGramLogitsProcessor PhrasalConstraint "
    "PrefixConstrainedLogitsProcessor RepetitionPenaltyLogitsProcessor SequenceBiasLogitsProcessor StoppingCriteria "
    "StoppingCriteriaList SuppressTokensAtBeginLogitsProcessor SuppressTokensLogitsProcessor "
    "TemperatureLogitsWarper TextIteratorStreamer TextStreamer TopKLogitsWarper TopPLogitsWarper "
    "TypicalLogitsWarper UnbatchedClassifierFreeGuidanceLogitsProcessor WhisperTimeStampLogitsProcessor "
    "top_k_top_p_filtering",
    "image_processing_utils": "ImageProcessingMixin",
    "image_utils": "ImageFeatureExtractionMixin",
    "modelcard": "ModelCard",
    "modeling_utils": "PreTrainedModel",
    "pipelines": "Conversation ConversationalPipeline CsvPipelineDataFormat JsonPipelineDataFormat "
    "PipedPipelineDataFormat PipelineDataFormat NerPipeline Pipeline pipeline AudioClassificationPipeline "
    "AutomaticSpeechRecognitionPipeline DepthEstimationPipeline FeatureExtractionPipeline FillMaskPipeline "
    "ImageClassificationPipeline ImageFeatureExtractionPipeline ImageSegmentationPipeline ImageToImagePipeline "
    "ImageToTextPipeline ObjectDetectionPipeline QuestionAnsweringPipeline SummarizationPipeline "
    "Text2TextGenerationPipeline TextClassificationPipeline TextGenerationPipeline TokenClassificationPipeline "
    "TranslationPipeline VisualQuestionAnsweringPipeline ZeroShotAudioClassificationPipeline "
    "ZeroShotClassificationPipeline ZeroShotImageClassificationPipeline ZeroShotObjectDetectionPipeline",
    "processing_utils": "ProcessorMixin",
    "pytorch_utils": "Conv1D apply_chunking_to_forward prune_layer",
    "tokenization_utils": "PreTrainedTokenizer",
    "tokenization_utils_base": "AddedToken BatchEncoding CharSpan PreTrainedTokenizerBase SpecialTokensMixin TokenSpan",
    "tokenization_utils_fast": "PreTrainedTokenizerFast",
    "trainer_utils": "set_seed enable_full_determinism",
    "utils": "CONFIG_NAME MODEL_CARD_NAME PYTORCH_PRETRAINED_BERT_CACHE PYTORCH_TRANSFORMERS_CACHE SPIECE_UNDERLINE "
    "TRANSFORMERS_CACHE WEIGHTS_NAME TensorType add_end_docstrings add_start_docstrings is_apex_available "
    "is_bitsandbytes_available is_datasets_available is_decord_available is_faiss_available is_flax_available "
    "is_keras_nlp_available is_phonemizer_available is_psutil_available is_py3nvml_available "
    "is_pyctcdecode_available is_safetensors_available is_scipy_available is_sentencepiece_available "
    "is_sklearn_available is_speech_available is_tensorflow_text_available is_tf_available is_timm_available "
    "is_tokenizers_available is_torch_available is_torch_neuroncore_available is_torch_npu_available "
    "is_torch_tpu_available is_torchvision_available is_torch_xpu_available is_vision_available logging",
}

# Needed extra, for the modules that cannot work without one.
NEEDS: dict[str, str] = {}


@functools.cache
def _own_exports() -> dict[str, Export]:
    return {name: Export(module, NEEDS.get(module)) for module, names in NAMES.items() for name in names.split()}


def _auto_exports() -> dict[str, Export]:
    from .models import auto

    return auto.exports()


def public_names() -> dict[str, Export]:
    """Every name that this package offers, with the module that defines it."""
    return registry.exports() | _auto_exports() | _own_exports()


__getattr__, __dir__ = lazy_namespace(__name__, _own_exports, _auto_exports, registry.exports)
