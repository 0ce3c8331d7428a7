"""Audits of a data set and what they say about a run: rows drawn at random, assessments, certificates."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from labeling.datasets.models import Dataset, Sample
from labeling.runs.models import Run


class Audit(models.Model):
    """One draw from the data set's audit frame: `drawn` of its `frame_texts` texts came, in random order.

    A later draw of the same data set goes on where the one before ended, so that all of them together are one
    uniform sample.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="audits")
    number = models.PositiveIntegerField()
    drawn = models.PositiveIntegerField()
    frame_texts = models.PositiveIntegerField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Numbered within the data set."""

        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("dataset", "number"), name="audit_number_once"),)

    def __str__(self) -> str:
        return f"audit {self.number} of data set {self.dataset_id}"


class Third(models.TextChoices):
    """What an audit row is for, by its text's hash alone: one third fits, two thirds only certify."""

    FIT = "fit", _("Fits the race and the calibration")
    CERTIFY = "certify", _("Only certifies")


class AuditRow(models.Model):
    """A text drawn for an audit. Its answer is the blind verdict on the text, or the label imported as verified.

    `inclusion` is the probability (0 to 1) that a text of the data set is drawn by any of its audits so far: the same
    for all its rows.
    """

    audit = models.ForeignKey(Audit, models.CASCADE, related_name="rows")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="+", db_index=False)
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="+")
    text_hash = models.CharField(max_length=32)
    copies = models.PositiveIntegerField(default=1)
    inclusion = models.FloatField()
    third = models.CharField(max_length=7, choices=Third)

    class Meta:
        """A text is drawn once from a data set."""

        constraints = (models.UniqueConstraint(fields=("dataset", "text_hash"), name="audit_row_once"),)

    def __str__(self) -> str:
        return f"audit row {self.pk}"


class Assessment(models.Model):
    """What the audit says of a run's labels under one generation of its pool; never changed once it stands.

    `figures` is a `figures.Figures` as JSON, `digest` of the answers and votes that its certificates rest on. `winner`
    names the race's winner and `aggregation` is its fitted state, NULL where no draw was answered whole; without a
    race, because too few rows were answered, there is neither.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="assessments")
    number = models.PositiveIntegerField()
    generation = models.PositiveIntegerField()
    answered = models.PositiveIntegerField()
    digest = models.CharField(max_length=32, blank=True, default="", db_default="")
    winner = models.CharField(max_length=40, blank=True)
    aggregation = models.JSONField(null=True)
    figures = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Numbered within the run, newest first."""

        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("run", "number"), name="assessment_once"),)

    def __str__(self) -> str:
        return f"assessment {self.number} of run {self.run_id}"


class Certificate(models.Model):
    """Whether labels accepted without a person have at most `target_error` (percent) with `confidence` (percent).

    `threshold`: rows with this score or a higher one are covered, NULL where the target is not reached; then
    `rows_needed` says how many more audited rows it takes at least, NULL where no number can be named. `accepted_share`
    (of the different texts) and `error_bound` are 0 to 1. The target is what is promised: the answers themselves chose
    the set that `error_bound` is the bound of, so it promises nothing more.
    """

    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="certificates")
    target_error = models.FloatField()
    confidence = models.FloatField(default=95)
    threshold = models.FloatField(null=True)
    accepted_share = models.FloatField(null=True)
    error_bound = models.FloatField(null=True)
    rows_used = models.PositiveIntegerField()
    rows_needed = models.PositiveIntegerField(null=True)

    class Meta:
        """One a target."""

        ordering = ("target_error",)
        constraints = (models.UniqueConstraint(fields=("assessment", "target_error"), name="certificate_once"),)

    def __str__(self) -> str:
        return f"certificate for {self.target_error:g}%"

    @property
    def is_reached(self) -> bool:
        """Whether it can be given."""
        return self.threshold is not None
