"""Data sets: uploaded tables and their samples."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from labeling.projects.models import Project


class Dataset(models.Model):
    """A table of texts. `frame_until` is the largest text hash of the audit frame (engine: contract)."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="datasets")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    columns = models.JSONField(default=list)
    text_column = models.CharField(max_length=200)
    row_count = models.BigIntegerField(default=0)
    frame_until = models.CharField(max_length=32, blank=True)
    is_ready = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True)
    replaced_by = models.ForeignKey("self", models.SET_NULL, null=True, related_name="replaces")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Numbered within the project."""

        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("project", "number"), name="dataset_number_once"),)

    def __str__(self) -> str:
        return self.name


class UploadMode(models.TextChoices):
    """What an upload does."""

    NEW = "new", _("A new data set")
    APPEND = "append", _("More rows for a data set")
    REPLACE = "replace", _("Replace a data set")


class GoldUse(models.TextChoices):
    """What happens with a gold column."""

    KEEP = "keep", _("Keep it to compare with, decide nothing")
    VERIFIED = "verified", _("Take it as verified labels: these rows are done")


class UploadState(models.TextChoices):
    """Where an upload stands."""

    PREVIEW = "preview", _("Waiting for you to choose columns")
    IMPORTING = "importing", _("Importing")
    DONE = "done", _("Imported")
    FAILED = "failed", _("Failed")


class Upload(models.Model):
    """One file that came in, how it is read, and how far its import is. Checkpoint: `records_done`, `next_position`.

    `gold_unknown` counts the gold values that are no class, `is_guarded` says that our own formula quoting is undone.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="uploads")
    dataset = models.ForeignKey(Dataset, models.SET_NULL, null=True, related_name="uploads")
    target = models.ForeignKey(Dataset, models.CASCADE, null=True, related_name="+")
    mode = models.CharField(max_length=8, choices=UploadMode, default=UploadMode.NEW)
    state = models.CharField(max_length=10, choices=UploadState, default=UploadState.PREVIEW)
    filename = models.CharField(max_length=255)
    path = models.CharField(max_length=500)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    format = models.CharField(max_length=8, default="csv")
    delimiter = models.CharField(max_length=1, default=",")
    encoding = models.CharField(max_length=20, default="utf-8")
    columns = models.JSONField(default=list)
    text_column = models.CharField(max_length=200, blank=True)
    id_column = models.CharField(max_length=200, blank=True)
    gold_column = models.CharField(max_length=200, blank=True)
    gold_use = models.CharField(max_length=10, choices=GoldUse, default=GoldUse.KEEP)
    record_count = models.BigIntegerField(default=0)
    records_done = models.BigIntegerField(default=0)
    next_position = models.BigIntegerField(default=0)
    accepted_count = models.BigIntegerField(default=0)
    refused_count = models.BigIntegerField(default=0)
    gold_count = models.BigIntegerField(default=0)
    gold_unknown = models.JSONField(default=dict)
    is_creating_classes = models.BooleanField(default=False)
    carried_count = models.BigIntegerField(default=0)
    is_guarded = models.BooleanField(default=False)
    is_stop_asked = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Newest first."""

        ordering = ("-id",)

    def __str__(self) -> str:
        return self.filename


class Sample(models.Model):
    """One text to label with its original columns.

    `cells` holds the other columns: a JSON list in the order of the data set's columns (CSV; the text's place is null),
    or the JSON object as it was written with null in the text's place (JSONL): an export gives back what came in.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="samples")
    upload = models.ForeignKey(Upload, models.CASCADE, related_name="+", db_index=False)
    position = models.BigIntegerField()
    external_id = models.CharField(max_length=200, null=True)  # noqa: DJ001 (many rows have no id)
    text = models.TextField()
    text_hash = models.CharField(max_length=32)
    gold = models.CharField(max_length=100, blank=True)
    cells = models.TextField()

    class Meta:
        """Dense positions; equal texts found by hash."""

        constraints = (
            models.UniqueConstraint(fields=("dataset", "position"), name="sample_position_once"),
            models.UniqueConstraint(fields=("dataset", "external_id"), name="sample_external_id_once"),
        )
        indexes = (models.Index(fields=("dataset", "text_hash"), name="sample_text_hash"),)

    def __str__(self) -> str:
        return f"sample {self.pk}"


class RefusedRow(models.Model):
    """A row of an upload that was not taken, with its line, the column and the reason."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="refused")
    record = models.BigIntegerField()
    line = models.BigIntegerField()
    # "column" is a word of SQL, and rows are inserted by raw statements
    column = models.CharField(max_length=200, blank=True, db_column="column_name")
    reason = models.CharField(max_length=300)
    excerpt = models.CharField(max_length=200, blank=True)

    class Meta:
        """One a record, in the file's order."""

        ordering = ("record",)
        constraints = (models.UniqueConstraint(fields=("upload", "record"), name="refused_once"),)

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
