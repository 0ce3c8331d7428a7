"""Specialists: small language models that vote, their immutable versions and trials."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from labeling.projects.models import Project


class Source(models.TextChoices):
    """Where a specialist's files come from."""

    HUB = "hub", _("Model hub")
    FOLDER = "folder", _("Folder on the server")
    TRAINED = "trained", _("Trained here")


class SpecialistState(models.TextChoices):
    """What a specialist waits for."""

    FETCHING = "fetching", _("Fetching files")
    TRAINING = "training", _("Training")
    FAILED = "failed", _("Files could not be fetched")
    MAPPING = "mapping", _("Waiting for its label map")
    READY = "ready", _("Ready")


class Specialist(models.Model):
    """A small language model of a project. `model_labels`, `architecture` and so on are read from its files."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="specialists")
    name = models.CharField(max_length=120)
    source = models.CharField(max_length=8, choices=Source)
    location = models.CharField(max_length=500)
    revision = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=SpecialistState, default=SpecialistState.FETCHING)
    error = models.TextField(blank=True)
    backend = models.CharField(max_length=12, default="torch")
    weights_hash = models.CharField(max_length=64, blank=True)
    model_labels = models.JSONField(default=list)
    architecture = models.CharField(max_length=80, blank=True)
    license = models.CharField(max_length=80, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    max_length = models.PositiveIntegerField(default=128)
    is_archived = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Names are unique in a project."""

        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("project", "name"), name="specialist_name_once"),)

    def __str__(self) -> str:
        return self.name


class VersionOrigin(models.TextChoices):
    """Where a version comes from."""

    MAP = "map", _("A label map")
    ROUND = "round", _("A refinement round")
    COLD_START = "cold", _("Trained from the first labels")


class SpecialistVersion(models.Model):
    """(weights, label map, ordered class ids, max length), immutable: editing any makes a new version.

    `targets` holds for each model label the id of a project class, or null where the specialist abstains. A version
    made by training names its `parent` and keeps its `manifest`, also when its weights were pruned to free the disk.
    """

    specialist = models.ForeignKey(Specialist, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    backend = models.CharField(max_length=12, default="torch")
    weights_hash = models.CharField(max_length=64)
    model_labels = models.JSONField()
    targets = models.JSONField()
    class_ids = models.JSONField()
    max_length = models.PositiveIntegerField()
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    origin = models.CharField(max_length=5, choices=VersionOrigin, default=VersionOrigin.MAP)
    manifest = models.JSONField(default=dict)
    size_bytes = models.BigIntegerField(default=0)
    pruned_at = models.DateTimeField(null=True)
    are_holes_confirmed = models.BooleanField(default=False)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Numbered within the specialist."""

        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("specialist", "number"), name="version_number_once"),)

    def __str__(self) -> str:
        return f"{self.specialist} v{self.number}"

    @property
    def may_vote(self) -> bool:
        """Whether a manager has confirmed it after its trial, or a gate promoted it, and its weights are there."""
        return self.confirmed_at is not None and self.pruned_at is None


class Trial(models.Model):
    """What a version did on some random rows before it may vote. `shares` maps class ids to shares of the rows."""

    version = models.ForeignKey(SpecialistVersion, models.CASCADE, related_name="trials")
    row_count = models.PositiveIntegerField(default=0)
    abstained = models.PositiveIntegerField(default=0)
    truncated = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    shares = models.JSONField(default=dict)
    examples = models.JSONField(default=list)
    gold_rows = models.PositiveIntegerField(default=0)
    gold_accuracy = models.FloatField(null=True)
    better_targets = models.JSONField(null=True)
    better_accuracy = models.FloatField(null=True)
    error = models.TextField(blank=True)
    is_done = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Newest first."""

        ordering = ("-id",)

    def __str__(self) -> str:
        return f"trial of {self.version}"
