"""Zero-shot audio classification: which of the given labels fits a recording best."""

from __future__ import annotations

from typing import Any

from .audio_inputs import AudioPipeline, open_audio
from .image_inputs import given
from .zero_shot_inputs import first_of_batch, label_texts, parse_labels, sorted_scores


class ZeroShotAudioClassificationPipeline(AudioPipeline):
    """Compares recordings with sentences made of labels, by a model of sounds and texts such as CLAP.

    Task: "zero-shot-audio-classification".

    Args:
        candidate_labels: The labels: a list, or one string with commas between them.
        hypothesis_template: The sentence; `{}` stands for the label (default "This is a sound of {}.").
    """

    def _sanitize_parameters(
        self, candidate_labels: Any = None, hypothesis_template: str | None = None, **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        labels = None if candidate_labels is None else parse_labels(candidate_labels)
        return given(candidate_labels=labels, hypothesis_template=hypothesis_template), {}, {}

    def __call__(self, audios: Any, **kwargs: Any) -> Any:
        """Classify.

        Args:
            audios: A path, URL, the bytes of a file, an array (samples,) of the model's sampling rate, a dictionary
                `{"array" or "raw", "sampling_rate"}`, or many of these.
            candidate_labels: The labels to choose from.

        Returns:
            For each recording a list of `{"score", "label"}`, best first; the scores sum to one.
        """
        return super().__call__(audios, **kwargs)

    def preprocess(
        self, audio: Any, candidate_labels: Any = None, hypothesis_template: str = "This is a sound of {}."
    ) -> Any:
        inputs = self.feature_extractor(
            [open_audio(audio, self._sampling_rate)],
            sampling_rate=self._sampling_rate,
            return_tensors=self.framework,
        )
        labels = parse_labels(candidate_labels or [])
        inputs["candidate_labels"] = [labels]
        inputs["text_inputs"] = [label_texts(self.tokenizer, labels, hypothesis_template)]
        return inputs

    def _forward(self, model_inputs: Any) -> dict[str, Any]:
        inputs = dict(model_inputs)
        labels, texts = inputs.pop("candidate_labels"), first_of_batch(inputs.pop("text_inputs"))
        return {"candidate_labels": labels, "logits": self.model(**texts, **inputs).logits_per_audio}

    def postprocess(self, model_outputs: dict[str, Any]) -> list[dict[str, Any]]:
        return sorted_scores(model_outputs["candidate_labels"][0], model_outputs["logits"][0])
