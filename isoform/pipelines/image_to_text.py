"""Image to text: captions and other texts about an image."""

from __future__ import annotations

from typing import Any

import torch

from .image_inputs import ImagePipeline, given


class ImageToTextPipeline(ImagePipeline):
    """Generates a text for an image.

    Task: "image-to-text".

    Args:
        prompt: What the text should begin with, or a question, for models that take one.
        max_new_tokens: The most tokens to generate.
        generate_kwargs: Arguments for `generate`.
        timeout: Seconds to wait for images that are given as URLs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from ..models.auto.modeling_auto import MODEL_FOR_VISION_2_SEQ_MAPPING

        self.check_model_type(MODEL_FOR_VISION_2_SEQ_MAPPING)

    def _sanitize_parameters(
        self,
        max_new_tokens: int | None = None,
        generate_kwargs: dict[str, Any] | None = None,
        prompt: str | None = None,
        timeout: float | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        generate_kwargs = dict(generate_kwargs or {})
        if max_new_tokens is not None:
            if "max_new_tokens" in generate_kwargs:
                raise ValueError(
                    "`max_new_tokens` is given twice, as an argument and in `generate_kwargs`: give it once"
                )
            generate_kwargs["max_new_tokens"] = max_new_tokens
        forward_params = {"generate_kwargs": generate_kwargs} if generate_kwargs else {}
        return given(prompt=prompt, timeout=timeout), forward_params, {}

    def __call__(self, images: Any, **kwargs: Any) -> Any:
        """Generate.

        Args:
            images: A path, URL, the bytes of a file, a PIL image, an array, or many of these.

        Returns:
            For each image a list of `{"generated_text": …}`, one for each returned sequence.
        """
        return super().__call__(images, **kwargs)

    def _prepare(self, images: list[Any], prompt: str | None = None) -> Any:  # type: ignore[override]
        if prompt is None:
            return super()._prepare(images)
        if not isinstance(prompt, str):
            raise ValueError(f"the prompt must be one text for all images, found {type(prompt).__name__}")
        kind = self.model.config.model_type
        if kind == "vision-encoder-decoder":
            raise ValueError(f"{type(self.model).__name__} takes no prompt: its decoder sees the image alone")
        if kind == "pix2struct":
            return super()._prepare(images, header_text=prompt)
        inputs = super()._prepare(images)
        text = self.tokenizer([prompt] * len(images), return_tensors=self.framework, add_special_tokens=kind != "git")
        if kind == "git":  # its decoder expects the start token, and no end, around the prompt
            start = torch.full((len(images), 1), self.tokenizer.cls_token_id)
            return {**inputs, "input_ids": torch.cat([start, text["input_ids"]], 1)}
        return {**inputs, **text}

    def _forward(self, model_inputs: Any, generate_kwargs: dict[str, Any] | None = None) -> dict[str, torch.Tensor]:
        inputs = dict(model_inputs)
        main = inputs.pop(self.model.main_input_name)
        generated = self.model.generate(main, **inputs, **(generate_kwargs or {}))
        sequences = getattr(generated, "sequences", generated)
        return {"output_ids": sequences.reshape(main.shape[0], sequences.shape[0] // main.shape[0], -1)}

    def postprocess(self, model_outputs: dict[str, torch.Tensor]) -> list[dict[str, str]]:
        return [
            {"generated_text": self.tokenizer.decode(ids, skip_special_tokens=True)}
            for ids in model_outputs["output_ids"][0]
        ]
