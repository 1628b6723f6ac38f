"""The tasks that `pipeline()` knows: plain data, so that listing them imports neither torch nor a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Task:
    """One task: where its pipeline class lives, which auto classes load its model, which model is its default."""

    pipeline: str  # "<module in isoform.pipelines>.<class>"
    models: tuple[str, ...]  # names of auto classes, tried in order
    default: dict[Any, Any]  # framework -> (repository, revision); for translation one such for each pair
    kind: str = "text"  # what has to be loaded beside the model: text, audio, image, video or multimodal
    extra: dict[str, Any] = field(default_factory=dict)
    parts: str = ""  # which of these its pipeline uses, where `kind` does not say: tokenizer, image_processor, …

    @property
    def uses(self) -> frozenset[str]:
        """What is loaded beside the model."""
        return frozenset((self.parts or _PARTS[self.kind]).split())

    @property
    def medium(self) -> str:
        """What one input is: "text", "image" or "sound"."""
        if self.kind == "text" or self.class_name == "FeatureExtractionPipeline":
            return "text"
        return "sound" if "feature_extractor" in self.uses else "image"

    @property
    def module(self) -> str:
        """The name of the module inside `isoform.pipelines`."""
        return self.pipeline.split(".")[0]

    @property
    def class_name(self) -> str:
        """The name of the pipeline class."""
        return self.pipeline.split(".")[1]


_PARTS = {
    "text": "tokenizer",
    "audio": "feature_extractor",
    "image": "image_processor",
    "video": "image_processor",
    "multimodal": "tokenizer feature_extractor image_processor",
}


def _default(repository: str, revision: str) -> dict[str, Any]:
    return {"model": {"pt": (repository, revision)}}


TASKS: dict[str, Task] = {
    "feature-extraction": Task(
        "feature_extraction.FeatureExtractionPipeline",
        ("AutoModel",),
        _default("distilbert-base-cased", "935ac13"),
        kind="multimodal",
    ),
    "image-feature-extraction": Task(
        "image_feature_extraction.ImageFeatureExtractionPipeline",
        ("AutoModel",),
        _default("google/vit-base-patch16-224", "3f49326"),
        kind="image",
    ),
    "text-classification": Task(
        "text_classification.TextClassificationPipeline",
        ("AutoModelForSequenceClassification",),
        _default("distilbert-base-uncased-finetuned-sst-2-english", "af0f99b"),
    ),
    "token-classification": Task(
        "token_classification.TokenClassificationPipeline",
        ("AutoModelForTokenClassification",),
        _default("dbmdz/bert-large-cased-finetuned-conll03-english", "f2482bf"),
    ),
    "question-answering": Task(
        "question_answering.QuestionAnsweringPipeline",
        ("AutoModelForQuestionAnswering",),
        _default("distilbert-base-cased-distilled-squad", "626af31"),
    ),
    "text-generation": Task(
        "text_generation.TextGenerationPipeline",
        ("AutoModelForCausalLM",),
        _default("gpt2", "6c0e608"),
    ),
    "conversational": Task(
        "conversational.ConversationalPipeline",
        ("AutoModelForSeq2SeqLM", "AutoModelForCausalLM"),
        _default("microsoft/DialoGPT-medium", "8bada3b"),
    ),
    "zero-shot-classification": Task(
        "zero_shot_classification.ZeroShotClassificationPipeline",
        ("AutoModelForSequenceClassification",),
        _default("facebook/bart-large-mnli", "c626438"),
        extra={"config": {"pt": ("facebook/bart-large-mnli", "c626438")}},
    ),
    "fill-mask": Task(
        "fill_mask.FillMaskPipeline",
        ("AutoModelForMaskedLM",),
        _default("distilroberta-base", "ec58a5b"),
    ),
    "text2text-generation": Task(
        "text2text_generation.Text2TextGenerationPipeline",
        ("AutoModelForSeq2SeqLM",),
        _default("t5-base", "686f1db"),
    ),
    "summarization": Task(
        "text2text_generation.SummarizationPipeline",
        ("AutoModelForSeq2SeqLM",),
        _default("sshleifer/distilbart-cnn-12-6", "a4f8f3e"),
    ),
    "translation": Task(
        "text2text_generation.TranslationPipeline",
        ("AutoModelForSeq2SeqLM",),
        {("en", target): _default("t5-base", "686f1db") for target in ("fr", "de", "ro")},
    ),
    "image-classification": Task(
        "image_classification.ImageClassificationPipeline",
        ("AutoModelForImageClassification",),
        _default("google/vit-base-patch16-224", "5dca96d"),
        kind="image",
    ),
    "image-segmentation": Task(
        "image_segmentation.ImageSegmentationPipeline",
        ("AutoModelForImageSegmentation", "AutoModelForSemanticSegmentation"),
        _default("facebook/detr-resnet-50-panoptic", "fc15262"),
        kind="multimodal",
        parts="tokenizer image_processor",
    ),
    "object-detection": Task(
        "object_detection.ObjectDetectionPipeline",
        ("AutoModelForObjectDetection",),
        _default("facebook/detr-resnet-50", "2729413"),
        kind="multimodal",
        parts="image_processor",
    ),
    "depth-estimation": Task(
        "depth_estimation.DepthEstimationPipeline",
        ("AutoModelForDepthEstimation",),
        _default("Intel/dpt-large", "e93beec"),
        kind="image",
    ),
    "image-to-text": Task(
        "image_to_text.ImageToTextPipeline",
        ("AutoModelForVision2Seq",),
        _default("ydshieh/vit-gpt2-coco-en", "65636df"),
        kind="multimodal",
        parts="tokenizer image_processor",
    ),
    "zero-shot-image-classification": Task(
        "zero_shot_image_classification.ZeroShotImageClassificationPipeline",
        ("AutoModelForZeroShotImageClassification",),
        _default("openai/clip-vit-base-patch32", "f4881ba"),
        kind="multimodal",
        parts="tokenizer image_processor",
    ),
    "zero-shot-object-detection": Task(
        "zero_shot_object_detection.ZeroShotObjectDetectionPipeline",
        ("AutoModelForZeroShotObjectDetection",),
        _default("google/owlvit-base-patch32", "17740e1"),
        kind="multimodal",
        parts="tokenizer image_processor",
    ),
    "image-to-image": Task(
        "image_to_image.ImageToImagePipeline",
        ("AutoModelForImageToImage",),
        _default("caidas/swin2SR-classical-sr-x2-64", "4aaedcb"),
        kind="image",
    ),
    "visual-question-answering": Task(
        "visual_question_answering.VisualQuestionAnsweringPipeline",
        ("AutoModelForVisualQuestionAnswering",),
        _default("dandelin/vilt-b32-finetuned-vqa", "4355f59"),
        kind="multimodal",
        parts="tokenizer image_processor",
    ),
    "automatic-speech-recognition": Task(
        "automatic_speech_recognition.AutomaticSpeechRecognitionPipeline",
        ("AutoModelForCTC", "AutoModelForSpeechSeq2Seq"),
        _default("facebook/wav2vec2-base-960h", "55bb623"),
        kind="multimodal",
        parts="tokenizer feature_extractor",
    ),
    "audio-classification": Task(
        "audio_classification.AudioClassificationPipeline",
        ("AutoModelForAudioClassification",),
        _default("superb/wav2vec2-base-superb-ks", "372e048"),
        kind="audio",
    ),
    "zero-shot-audio-classification": Task(
        "zero_shot_audio_classification.ZeroShotAudioClassificationPipeline",
        ("AutoModel",),
        _default("laion/clap-htsat-fused", "973b6e5"),
        kind="multimodal",
        parts="tokenizer feature_extractor",
    ),
}

TASK_ALIASES: dict[str, str] = {
    "sentiment-analysis": "text-classification",
    "ner": "token-classification",
    "vqa": "visual-question-answering",
}
