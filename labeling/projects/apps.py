"""The projects app."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Registers the projects app."""

    name = "labeling.projects"
    label = "projects"
