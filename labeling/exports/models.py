"""Exports: labeled files made by a job."""

from django.conf import settings
from django.db import models

from labeling.datasets.models import Dataset
from labeling.projects.models import Project


class ExportFormat(models.TextChoices):
    """File formats."""

    CSV = "csv", "CSV"
    JSONL = "jsonl", "JSONL"


class Export(models.Model):
    """A labeled file of a data set as it stood when the job wrote it, with a manifest beside it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="exports")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="exports")
    number = models.PositiveIntegerField()
    format = models.CharField(max_length=8, choices=ExportFormat, default=ExportFormat.CSV)
    is_raw = models.BooleanField(default=False)
    only_labeled = models.BooleanField(default=False)
    path = models.CharField(max_length=500, blank=True)
    manifest = models.JSONField(default=dict)
    row_count = models.BigIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    is_ready = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Numbered within the project."""

        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("project", "number"), name="export_number_once"),)

    def __str__(self) -> str:
        return f"export {self.number}"
