"""The pipeline app."""

from django.apps import AppConfig


class PipelineConfig(AppConfig):
    """Registers the pipeline app."""

    name = "labeling.pipeline"
    label = "pipeline"
