"""Background work as rows: the truth of what is to be done, by whom, until when."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.projects.models import Project


class JobState(models.TextChoices):
    """Where a job stands."""

    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class ChunkState(models.TextChoices):
    """Where a piece of a job stands. DEAD pieces wait for a person's retry and never stop the others."""

    TODO = "todo", _("To do")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    DEAD = "dead", _("Dead")


OPEN_CHUNK_STATES = (ChunkState.TODO, ChunkState.RUNNING)
"""Work that is still to come or in hand; a dead part waits for a person."""


class Job(models.Model):
    """Long work on one subject (a data set, a run, an export), done in chunks by any worker.

    `progress` counts from `counted_from` on: the beginning, or that of a later stage with a count of its own.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=20)
    subject = models.BigIntegerField()
    stage = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.RUNNING)
    is_dirty = models.BooleanField(default=True)
    progress = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    seq = models.BigIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    counted_from = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        """Found by subject, and by what needs advancing."""

        ordering = ("-id",)
        indexes = (
            models.Index(fields=("kind", "subject")),
            models.Index(fields=("id",), condition=models.Q(is_dirty=True), name="job_dirty"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    @property
    def topic(self) -> str:
        """The name under which this job's events are published."""
        return f"{self.kind}:{self.subject}"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen without a person."""
        return self.state in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


class Chunk(models.Model):
    """A piece of a job: rows `low` (inclusive) to `high` (exclusive). owner + attempts is the fence of a claim."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="chunks")
    generation = models.PositiveIntegerField(default=0)
    stage = models.CharField(max_length=20)
    idx = models.PositiveIntegerField()
    low = models.BigIntegerField(default=0)
    high = models.BigIntegerField(default=0)
    queue = models.CharField(max_length=12)
    state = models.CharField(max_length=8, choices=ChunkState, default=ChunkState.TODO)
    owner = models.CharField(max_length=80, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    errors = models.PositiveSmallIntegerField(default=0)
    lost_leases = models.PositiveSmallIntegerField(default=0)
    progress = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        """One row a piece; found by queue and state."""

        constraints = (models.UniqueConstraint(fields=("job", "generation", "stage", "idx"), name="chunk_once"),)
        indexes = (
            models.Index(
                fields=("queue", "state", "id"), condition=models.Q(state__in=("todo", "running")), name="chunk_open"
            ),
        )

    def __str__(self) -> str:
        return f"{self.stage} {self.idx} of job {self.job_id}"


class Event(models.Model):
    """A snapshot for those who watch a topic; the newest of a topic is the state, older ones are prunable."""

    topic = models.CharField(max_length=60)
    seq = models.BigIntegerField()
    state = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Numbered within the topic."""

        constraints = (models.UniqueConstraint(fields=("topic", "seq"), name="event_once"),)

    def __str__(self) -> str:
        return f"{self.topic} {self.seq}"


class Heartbeat(models.Model):
    """A worker that lives: refreshed every few seconds."""

    worker = models.CharField(max_length=80, primary_key=True)
    queues = models.CharField(max_length=60)
    beat_at = models.DateTimeField()
    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.worker
