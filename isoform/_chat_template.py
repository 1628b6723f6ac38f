"""Chat templates: Jinja templates that come with checkpoints, so they are not trusted."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

__all__ = ["CHATML", "render_chat"]

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def render_chat(template: str, **variables: Any) -> str:
    """Renders a chat template."""
    return _compiled(template).render(**variables)


@lru_cache(maxsize=32)
def _compiled(template: str) -> Any:
    from jinja2.exceptions import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = raise_exception
    return environment.from_string(template)
