"""Runs: one pass of a pool over a data set under one policy."""

import math

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.datasets.models import Dataset
from labeling.projects.models import Project
from labeling.specialists.models import SpecialistVersion


class RunState(models.TextChoices):
    """Where a run stands. REVIEWING: every row has a route and people decide the rest."""

    RUNNING = "running", _("Voting")
    PAUSED = "paused", _("Paused")
    REVIEWING = "reviewing", _("In review")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


ACTIVE_STATES = (RunState.RUNNING, RunState.PAUSED, RunState.REVIEWING)


class Aggregator(models.TextChoices):
    """How votes become one class."""

    MAJORITY = "majority", _("Majority")
    AVERAGE = "average", _("Average probability")


class PolicyName(models.TextChoices):
    """The named policies: the paper's own, ours, and one put together by hand."""

    PAPER = "paper", _("The paper's")
    DEFAULT = "default", _("Recommended")
    CUSTOM = "custom", _("Custom")


class VoteAhead(models.TextChoices):
    """How far the votes run ahead of the people: over all rows, or until the hard pool is full."""

    ALL = "all", _("Vote on everything at once")
    POOL = "pool", _("Stop when the hard pool is full, learn, go on")


class Run(models.Model):
    """One pass of a pool over a data set: its frozen policy, and counters that pages read instead of counting rows.

    Without a review budget a row goes to review when fewer than `min_agree` specialists agree. With `review_budget`
    (percent of rows) the least certain rows up to that share go to review. `beta` decided hard rows that nobody has
    learned from start a refinement round (never by itself where it is NULL). `learned` is what `decided` was when the
    last round took its pool. `generation` is the newest one, `renewed` the one that voted last on accepted rows.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="runs")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=RunState, default=RunState.RUNNING)
    aggregator = models.CharField(max_length=10, choices=Aggregator, default=Aggregator.MAJORITY)
    min_agree = models.PositiveSmallIntegerField()
    review_budget = models.FloatField(null=True)
    policy = models.CharField(max_length=8, choices=PolicyName, default=PolicyName.CUSTOM)
    vote_ahead = models.CharField(max_length=4, choices=VoteAhead, default=VoteAhead.ALL)
    beta = models.PositiveIntegerField(null=True)
    replay_share = models.FloatField(default=0.2)
    random_share = models.FloatField(default=0)
    is_gated = models.BooleanField(default=True)
    has_frame = models.BooleanField(default=True)
    renews_accepted = models.BooleanField(default=True)
    epochs = models.PositiveSmallIntegerField(default=3)
    learning_rate = models.FloatField(default=2e-5)
    batch_size = models.PositiveSmallIntegerField(default=16)
    seed = models.BigIntegerField(default=0)
    generation = models.PositiveIntegerField(default=0)
    renewed = models.PositiveIntegerField(default=0)
    is_renewal_asked = models.BooleanField(default=False)
    row_count = models.BigIntegerField()
    voted = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    hard = models.BigIntegerField(default=0)
    decided = models.BigIntegerField(default=0)
    truncated = models.BigIntegerField(default=0)
    learned = models.BigIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        """Numbered within the project; one active run a data set."""

        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("project", "number"), name="run_number_once"),
            models.UniqueConstraint(
                fields=("dataset",),
                condition=models.Q(state__in=("running", "paused", "reviewing")),
                name="one_active_run",
            ),
        )

    def __str__(self) -> str:
        return f"run {self.number}"

    @property
    def is_active(self) -> bool:
        """Whether it still takes votes or decisions."""
        return self.state in ACTIVE_STATES

    @property
    def to_review(self) -> int:
        """Rows that wait for a person."""
        return self.hard - self.decided

    @property
    def pool_size(self) -> int:
        """Decided hard rows that no refinement round has taken yet: the hard pool."""
        return max(0, self.decided - self.learned)

    @property
    def is_pool_full(self) -> bool:
        """Whether a refinement round is due."""
        return self.beta is not None and self.pool_size >= self.beta

    @property
    def random_rows(self) -> int:
        """How many texts of each hard pool are drawn at random."""
        return round((self.beta or 0) * self.random_share)

    @property
    def budget_rows(self) -> int:
        """How many rows people review at most; all of them without a budget."""
        if self.review_budget is None:
            return self.row_count
        return math.floor(self.review_budget / 100 * self.row_count + 1e-9)

    @property
    def is_renewal_due(self) -> bool:
        """Whether a newer pool than theirs could vote on the accepted rows."""
        return self.renews_accepted and self.generation > self.renewed


class GenerationOrigin(models.TextChoices):
    """Why a generation was opened."""

    START = "start", _("The run began")
    ROUND = "round", _("A refinement round")
    ROLLBACK = "rollback", _("Rolled back")


class PoolGeneration(models.Model):
    """The versions and cut under which a run routes. Rows at or below (cut_score, cut_hash) go to review.

    `until` is the position at which its votes end where they stop at a full pool. The counters say what it changed:
    open rows voted again and taken off the queue, accepted rows voted again and given another label.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="generations")
    number = models.PositiveIntegerField(default=0)
    origin = models.CharField(max_length=8, choices=GenerationOrigin, default=GenerationOrigin.START)
    round_number = models.PositiveIntegerField(null=True)
    until = models.BigIntegerField(null=True)
    cut_score = models.FloatField(null=True)
    cut_hash = models.CharField(max_length=32, blank=True)
    voted_again = models.BigIntegerField(default=0)
    taken_off = models.BigIntegerField(default=0)
    renewed = models.BigIntegerField(default=0)
    relabeled = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Numbered within the run."""

        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("run", "number"), name="generation_once"),)

    def __str__(self) -> str:
        return f"generation {self.number} of run {self.run_id}"


class PoolMember(models.Model):
    """A version's place in a generation, with its counters."""

    generation = models.ForeignKey(PoolGeneration, models.CASCADE, related_name="members")
    version = models.ForeignKey(SpecialistVersion, models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    voted = models.BigIntegerField(default=0)
    abstained = models.BigIntegerField(default=0)
    agreed = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)
    note = models.TextField(blank=True)

    class Meta:
        """In the order of the pool."""

        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("generation", "version"), name="member_once"),)

    def __str__(self) -> str:
        return f"{self.version} in {self.generation}"
