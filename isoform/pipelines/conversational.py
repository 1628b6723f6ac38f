"""Conversation: answer the last message of a chat with a language model and the tokenizer's chat template."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import torch

from ..utils import logging
from .base import Pipeline

logger = logging.get_logger(__name__)

Message = dict[str, str]  # {"role": "user" | "assistant" | "system", "content": text}

_ROLES = ("user", "assistant", "system")


class Conversation:
    """A chat: messages in order, each `{"role": …, "content": …}`.

    Args:
        messages: The messages so far, or the text of a first user message.
        conversation_id: A name for it; random by default.
        past_user_inputs, generated_responses: Earlier turns in the style before chat templates: put before `messages`.
    """

    def __init__(
        self,
        messages: str | list[Message] | None = None,
        conversation_id: uuid.UUID | None = None,
        *,
        text: str | None = None,
        past_user_inputs: list[str] | None = None,
        generated_responses: list[str] | None = None,
    ) -> None:
        self.uuid = conversation_id or uuid.uuid4()
        messages = text if messages is None else messages
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        self._processed = 0  # user messages that have been answered, for `mark_processed`
        self.messages: list[Message] = list(messages or [])
        if generated_responses is not None and past_user_inputs is None:
            raise ValueError("generated_responses cannot be passed without past_user_inputs!")
        earlier: list[Message] = []
        for index, question in enumerate(past_user_inputs or ()):
            earlier.append({"role": "user", "content": question})
            if generated_responses is not None and index < len(generated_responses):
                earlier.append({"role": "assistant", "content": generated_responses[index]})
        self.messages = earlier + self.messages

    def add_message(self, message: Message) -> None:
        """Append a message.

        Raises:
            ValueError: `role` or `content` is missing, or the role is not user, assistant or system.
        """
        if not set(message) >= {"role", "content"}:
            raise ValueError("Message should contain at least 'role' and 'content' keys!")
        if message["role"] not in _ROLES:
            raise ValueError(f"a message's role must be 'user', 'assistant' or 'system', found {message['role']!r}")
        self.messages.append(message)

    def add_user_input(self, text: str, overwrite: bool = False) -> None:
        """Append a user message; an unanswered one stays, or is replaced with `overwrite`."""
        if not self.messages or self.messages[-1]["role"] != "user":
            self.messages.append({"role": "user", "content": text})
        elif overwrite:
            logger.warning(f'The unanswered "{self.messages[-1]["content"]}" was overwritten with: "{text}".')
            self.messages[-1] = {"role": "user", "content": text}
        else:
            logger.warning(
                f"'{self.messages[-1]['content']}' is still unanswered; new input ignored: '{text}'. Pass "
                "overwrite=True to replace the unanswered one."
            )

    def append_response(self, response: str) -> None:
        """Append a message of the assistant."""
        self.messages.append({"role": "assistant", "content": response})

    def mark_processed(self) -> None:
        """Count every user message as answered."""
        self._processed = len(self._of("user"))

    def _of(self, role: str) -> list[str]:
        return [message["content"] for message in self.messages if message["role"] == role]

    @property
    def new_user_input(self) -> str:
        """The last user message."""
        return self._of("user")[-1]

    @property
    def past_user_inputs(self) -> list[str]:
        """The user messages that have been answered."""
        texts = self._of("user")
        unanswered = bool(self.messages) and self.messages[-1]["role"] == "user"
        return texts[:-1] if unanswered and self._processed < len(texts) else texts

    @property
    def generated_responses(self) -> list[str]:
        """The messages of the assistant."""
        return self._of("assistant")

    def iter_texts(self) -> Iterator[tuple[bool, str]]:
        """Each message's text, with whether the user wrote it."""
        for message in self.messages:
            yield message["role"] == "user", message["content"]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Conversation) and (self.uuid == other.uuid or self.messages == other.messages)

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.messages)

    def __getitem__(self, item: Any) -> Any:
        return self.messages[item]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.messages[key] = value

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    def __repr__(self) -> str:
        lines = "".join(f"{message['role']}: {message['content']}\n" for message in self.messages)
        return f"Conversation id: {self.uuid}\n{lines}"


class ConversationalPipeline(Pipeline):
    """Answers the last message of each conversation, and appends the answer to it.

    Task: "conversational".

    Args:
        min_length_for_response: Positions to leave for the answer when the chat is longer than the model's context.
        clean_up_tokenization_spaces: Passed to the tokenizer's `decode`.

    Further keyword arguments go to `generate`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token

    def _sanitize_parameters(
        self,
        min_length_for_response: int | None = None,
        minimum_tokens: int | None = None,
        clean_up_tokenization_spaces: bool | None = None,
        **generate_kwargs: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        preprocess_params: dict[str, Any] = {}
        if min_length_for_response is not None:
            preprocess_params["min_length_for_response"] = min_length_for_response
        postprocess_params: dict[str, Any] = {}
        if clean_up_tokenization_spaces is not None:
            postprocess_params["clean_up_tokenization_spaces"] = clean_up_tokenization_spaces
        return preprocess_params, generate_kwargs, postprocess_params

    def __call__(self, conversations: Any, num_workers: int = 0, **kwargs: Any) -> Any:
        """Answer.

        Args:
            conversations: A `Conversation`, a list of messages, or several of either.

        Returns:
            The conversation with the answer appended, or the list of them.
        """
        if isinstance(conversations, (list, tuple)) and conversations:
            if isinstance(conversations[0], dict):
                conversations = Conversation(list(conversations))
            elif isinstance(conversations[0], (list, tuple)):
                conversations = [Conversation(list(messages)) for messages in conversations]
        outputs = super().__call__(conversations, num_workers=num_workers, **kwargs)
        return outputs[0] if isinstance(outputs, list) and len(outputs) == 1 else outputs

    def preprocess(self, conversation: Conversation, min_length_for_response: int = 32) -> dict[str, Any]:
        if not isinstance(conversation, Conversation):
            raise ValueError(
                f"ConversationalPipeline expects a Conversation or a list of messages, got {conversation!r}"
            )
        ids = self.tokenizer.apply_chat_template(conversation.messages, add_generation_prompt=True)
        room = getattr(self.model.config, "max_position_embeddings", None)
        if room and len(ids) > room - min_length_for_response:
            kept = max(1, room - min_length_for_response)
            logger.warning(
                f"The conversation has {len(ids)} tokens; only the last {kept} fit the model with an answer."
            )
            ids = ids[-kept:]
        return {"input_ids": torch.tensor([ids]), "conversation": conversation}

    def _forward(
        self, model_inputs: dict[str, Any], minimum_tokens: int = 10, **generate_kwargs: Any
    ) -> dict[str, Any]:
        conversation, ids = model_inputs.pop("conversation"), model_inputs["input_ids"]
        mask = model_inputs.get("attention_mask")
        if mask is None:
            mask = torch.ones_like(ids)
        generated = self.model.generate(input_ids=ids, attention_mask=mask, **generate_kwargs)
        begin = 1 if self.model.config.is_encoder_decoder else ids.shape[1]
        return {"output_ids": generated[:, begin:], "conversation": conversation}

    def postprocess(self, model_outputs: dict[str, Any], clean_up_tokenization_spaces: bool = True) -> Conversation:
        answer = self.tokenizer.decode(
            model_outputs["output_ids"][0],
            skip_special_tokens=True,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
        )
        conversation: Conversation = model_outputs["conversation"]
        conversation.add_message({"role": "assistant", "content": answer})
        return conversation
