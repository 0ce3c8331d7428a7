"""The llm app."""

from django.apps import AppConfig


class LlmConfig(AppConfig):
    """Registers the llm app."""

    name = "labeling.llm"
    label = "llm"
