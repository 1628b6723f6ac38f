"""Audio classification: the likeliest labels of a recording."""

from __future__ import annotations

from typing import Any

from .audio_inputs import AudioPipeline, open_audio
from .image_classification import ranked
from .image_inputs import given
from .text_inputs import softmax


class AudioClassificationPipeline(AudioPipeline):
    """Classifies recordings with a model that has an audio classification head.

    Task: "audio-classification".

    Args:
        top_k: How many labels to return (default 5), best first.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"top_k": 5, **kwargs})
        from ..models.auto.modeling_auto import MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING

        self.check_model_type(MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING)

    def _sanitize_parameters(
        self, top_k: int | None = None, **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return {}, {}, given(top_k=top_k)

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Classify.

        Args:
            inputs: A path, URL, the bytes of a file, an array (samples,) of the model's sampling rate, a dictionary
                `{"array" or "raw", "sampling_rate"}`, or many of these.

        Returns:
            For each recording a list of `{"score", "label"}`, best first.
        """
        return super().__call__(inputs, **kwargs)

    def preprocess(self, inputs: Any) -> Any:
        return self._features(open_audio(inputs, self._sampling_rate))

    def _forward(self, model_inputs: Any) -> Any:
        return self._run(dict(model_inputs))

    def postprocess(self, model_outputs: Any, top_k: int = 5) -> list[dict[str, Any]]:
        probabilities = softmax(model_outputs["logits"][0].float().numpy())
        return ranked(probabilities, self.model.config.id2label, top_k)
