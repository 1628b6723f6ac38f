"""Visual question answering: answers to questions about images."""

from __future__ import annotations

from typing import Any

from .image_classification import ranked
from .image_inputs import ImagePipeline, given, open_image
from .text_inputs import sigmoid


class VisualQuestionAnsweringPipeline(ImagePipeline):
    """Answers questions about images, with a model that chooses among answers or one that generates them.

    Task: "visual-question-answering", alias "vqa".

    Args:
        top_k: How many answers to return (default 5), best first; a generating model returns one.
        padding, truncation: The tokenizer's arguments of these names.
        timeout: Seconds to wait for images that are given as URLs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_VISUAL_QUESTION_ANSWERING_MAPPING

        self.check_model_type(MODEL_FOR_VISUAL_QUESTION_ANSWERING_MAPPING)

    def _sanitize_parameters(
        self,
        top_k: int | None = None,
        padding: Any = None,
        truncation: Any = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return given(padding=padding, truncation=truncation, timeout=timeout), {}, given(top_k=top_k)

    def __call__(self, image: Any, question: str | None = None, **kwargs: Any) -> Any:
        """Answer.

        Args:
            image: An image (path, URL, bytes, PIL image, array), or `{"image", "question"}`, or many of these.
            question: The question, if the image is given alone.

        Returns:
            For each question a list of `{"score", "answer"}`, best first, or `[{"answer"}]` from a generating model.
        """
        return super().__call__(image if question is None else {"image": image, "question": question}, **kwargs)

    def preprocess(  # type: ignore[override]
        self, inputs: dict[str, Any], padding: Any = False, truncation: Any = False, timeout: float | None = None
    ) -> Any:
        text = self.tokenizer(inputs["question"], return_tensors=self.framework, padding=padding, truncation=truncation)
        text.update(self.image_processor(images=open_image(inputs["image"], timeout), return_tensors=self.framework))
        return text

    def preprocess_batch(self, inputs: list[Any], **options: Any) -> list[list[Any]]:  # type: ignore[override]
        return [[self.preprocess(item, **options)] for item in inputs]

    def _forward(self, model_inputs: Any) -> Any:
        if self.model.can_generate():
            return {"answer_ids": self.model.generate(**model_inputs)}
        return self.model(**model_inputs)

    def postprocess(self, model_outputs: Any, top_k: int = 5) -> list[dict[str, Any]]:
        if "answer_ids" in model_outputs:
            texts = (self.tokenizer.decode(ids, skip_special_tokens=True) for ids in model_outputs["answer_ids"])
            return [{"answer": text.strip()} for text in texts]
        scores = sigmoid(model_outputs["logits"][0].float().numpy())
        best = ranked(scores, self.model.config.id2label, top_k)
        return [{"score": entry["score"], "answer": entry["label"]} for entry in best]
