"""Refinement rounds: specialists learn from verified labels, challengers meet champions, better ones take over."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from labeling.datasets.models import Dataset, Sample
from labeling.projects.models import LabelClass, Project
from labeling.runs.models import Run
from labeling.specialists.models import Specialist, SpecialistVersion


class RoundKind(models.TextChoices):
    """What a round makes: better versions of a run's pool, or the first specialists of a project."""

    REFINE = "refine", _("Refinement")
    COLD_START = "cold", _("First specialists")


class RoundState(models.TextChoices):
    """Where a round stands. WAITING: too few gate rows for a machine to decide, a manager may promote."""

    TRAINING = "training", _("Training")
    JUDGING = "judging", _("At the gate")
    WAITING = "waiting", _("Waiting for a manager")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


ROUND_OPEN_STATES = (RoundState.TRAINING, RoundState.JUDGING, RoundState.FAILED)


class Trigger(models.TextChoices):
    """What started a round."""

    BETA = "beta", _("The hard pool was full")
    MANAGER = "manager", _("A manager asked")
    COMMAND = "command", _("A management command")


class RefinementRound(models.Model):
    """One cycle of continual fine-tuning, with its figures frozen when it began.

    `run` is NULL for a cold start. FAILED means that a part is dead: it waits for a retry or is given up.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=6, choices=RoundKind, default=RoundKind.REFINE)
    run = models.ForeignKey(Run, models.CASCADE, null=True, related_name="rounds")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="rounds")
    state = models.CharField(max_length=9, choices=RoundState, default=RoundState.TRAINING)
    trigger = models.CharField(max_length=7, choices=Trigger)
    seed = models.BigIntegerField()
    epochs = models.PositiveSmallIntegerField()
    learning_rate = models.FloatField()
    batch_size = models.PositiveSmallIntegerField()
    is_gated = models.BooleanField(default=True)
    margin = models.FloatField(default=0.05)
    p_needed = models.FloatField(default=0.8)
    generation_before = models.PositiveIntegerField(null=True)
    generation_after = models.PositiveIntegerField(null=True)
    pool_rows = models.PositiveIntegerField(default=0)
    random_rows = models.PositiveIntegerField(default=0)
    replay_rows = models.PositiveIntegerField(default=0)
    choose_rows = models.PositiveIntegerField(default=0)
    decide_rows = models.PositiveIntegerField(default=0)
    verifier_rows = models.PositiveIntegerField(default=0)
    verifier_gate_rows = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        """Numbered within the project; one round at work a run."""

        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("project", "number"), name="round_number_once"),
            models.UniqueConstraint(
                fields=("run",),
                condition=models.Q(state__in=("training", "judging", "failed"), run__isnull=False),
                name="one_round_at_work",
            ),
        )

    def __str__(self) -> str:
        return f"round {self.number}"

    @property
    def is_at_work(self) -> bool:
        """Whether it still trains or judges, or waits for a retry."""
        return self.state in ROUND_OPEN_STATES


class ChallengerState(models.TextChoices):
    """Where a challenger stands. KEPT: not better, its version stays with its figures, unpromoted."""

    WAITING = "waiting", _("Waiting")
    TRAINING = "training", _("Training")
    TRAINED = "trained", _("Trained")
    JUDGED = "judged", _("Judged")
    PROMOTED = "promoted", _("Promoted")
    KEPT = "kept", _("Kept, not promoted")
    ROLLED_BACK = "back", _("Rolled back")
    FAILED = "failed", _("Failed")


class Challenger(models.Model):
    """One specialist's training in a round, and what the gate said of it.

    `recipe` is what a cold start trains it by. `losses` holds at most 400 points [step, nats]. `epoch` and `share`
    (of the challenger in the interpolation with the champion) name the candidate that the choosing half took.
    `figures` holds the gate's table as `refinement.engine` writes it. The four last shares are the forgetting: accuracy
    on its first verified rows and on its source test, before and after.
    """

    round = models.ForeignKey(RefinementRound, models.CASCADE, related_name="challengers")
    position = models.PositiveSmallIntegerField()
    specialist = models.ForeignKey(Specialist, models.CASCADE, related_name="challengers")
    champion = models.ForeignKey(SpecialistVersion, models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey(SpecialistVersion, models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=ChallengerState, default=ChallengerState.WAITING)
    recipe = models.JSONField(default=dict)
    precision = models.CharField(max_length=4, blank=True)
    seed = models.BigIntegerField()
    step = models.PositiveIntegerField(default=0)
    step_count = models.PositiveIntegerField(default=0)
    losses = models.JSONField(default=list)
    seconds = models.FloatField(default=0)
    epoch = models.PositiveSmallIntegerField(null=True)
    share = models.FloatField(null=True)
    verdict = models.CharField(max_length=12, blank=True)
    p_better = models.FloatField(null=True)
    accuracy_before = models.FloatField(null=True)
    accuracy_after = models.FloatField(null=True)
    figures = models.JSONField(default=dict)
    first_rows_before = models.FloatField(null=True)
    first_rows_after = models.FloatField(null=True)
    source_before = models.FloatField(null=True)
    source_after = models.FloatField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        """In the order of the pool."""

        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("round", "position"), name="challenger_place_once"),
            models.UniqueConstraint(fields=("round", "specialist"), name="challenger_once"),
        )

    def __str__(self) -> str:
        return f"{self.specialist} in {self.round}"


class SampleRole(models.TextChoices):
    """What a verified row does in a round. FIRST rows measure forgetting, whatever else they do."""

    POOL = "pool", _("Hard pool")
    RANDOM = "random", _("Drawn at random")
    REPLAY = "replay", _("Replay")
    CHOOSE = "choose", _("Gate: chooses")
    DECIDE = "decide", _("Gate: decides")
    FIRST = "first", _("First verified rows")


TRAINING_ROLES = (SampleRole.POOL, SampleRole.RANDOM, SampleRole.REPLAY)


class RoundSample(models.Model):
    """A verified row as the round took it: its class then, its role, its weight (0 to 1] in the training."""

    round = models.ForeignKey(RefinementRound, models.CASCADE, related_name="samples")
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="+")
    label_class = models.ForeignKey(LabelClass, models.PROTECT, related_name="+", db_index=False)
    role = models.CharField(max_length=7, choices=SampleRole)
    weight = models.FloatField(default=1.0)

    class Meta:
        """A row may measure forgetting beside its other role."""

        constraints = (models.UniqueConstraint(fields=("round", "sample", "role"), name="round_sample_once"),)

    def __str__(self) -> str:
        return f"sample {self.sample_id} as {self.role}"


class SourceTest(models.Model):
    """A data set with gold labels on which a specialist's forgetting is measured: its source test."""

    specialist = models.OneToOneField(Specialist, models.CASCADE, related_name="source_test")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.dataset} for {self.specialist}"
