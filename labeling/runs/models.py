"""Runs: one pass of a pool over a data set under one policy."""

import math

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.datasets.models import Dataset, Sample
from labeling.llm.models import Connection
from labeling.projects.models import LabelClass, Project
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
    RACE = "race", _("The race's winner")


class PolicyName(models.TextChoices):
    """The named policies: the paper's own, ours, and one put together by hand."""

    PAPER = "paper", _("The paper's")
    DEFAULT = "default", _("Recommended")
    CUSTOM = "custom", _("Custom")


class VoteAhead(models.TextChoices):
    """How far the votes run ahead of the people: over all rows, or until the hard pool is full."""

    ALL = "all", _("Vote on everything at once")
    POOL = "pool", _("Stop when the hard pool is full, learn, go on")


class Mode(models.TextChoices):
    """Who gives the second review of a hard row."""

    HUMAN = "human", _("A person")
    LLM = "llm", _("A language model")
    LLM_THEN_HUMAN = "llm_then_human", _("A language model, then a person where it is not sure")


class AnswerUse(models.TextChoices):
    """What becomes of a language model's answer. REPLACE is the paper's."""

    REPLACE = "replace", _("It is the label")
    FUSE = "fuse", _("It is one more vote")


class AskStrategy(models.TextChoices):
    """How a language model is asked (engine: verifiers.contract.Strategy)."""

    ZERO_SHOT = "zero-shot", _("Zero-shot")
    ONE_SHOT = "one-shot", _("One-shot")
    FEW_SHOT = "few-shot", _("Few-shot, by similarity")
    CHAIN_OF_THOUGHT = "chain-of-thought", _("Chain of thought")


EXAMPLES = {AskStrategy.ONE_SHOT: 1, AskStrategy.FEW_SHOT: 5}
"""Examples before a question. One-shot by its name (Source: AutoAnnotator, Table 3), few-shot chosen."""


class Run(models.Model):
    """One pass of a pool over a data set: its frozen policy, and counters that pages read instead of counting rows.

    Without a review budget a row goes to review when fewer than `min_agree` specialists agree. With `review_budget`
    (percent of rows) the least certain rows up to that share go to review; with `target_error` (percent of accepted
    rows) every row that the certificate does not cover, once there is one. `beta` decided hard rows that nobody has
    learned from start a refinement round (never by itself where it is NULL). `learned` is what `reviewed` was when the
    last round took its pool. `generation` is the newest one, `renewed` the one that voted last on accepted rows.

    In the modes with a language model hard rows have the route VERIFY first: `asking` of them wait for its answer,
    `verified` have one that labels them; the others went on to people. `sure_from` (0 to 1) is the confidence from
    which an answer needs no person in the mode LLM_THEN_HUMAN.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="runs")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=RunState, default=RunState.RUNNING)
    aggregator = models.CharField(max_length=10, choices=Aggregator, default=Aggregator.MAJORITY)
    min_agree = models.PositiveSmallIntegerField()
    review_budget = models.FloatField(null=True)
    target_error = models.FloatField(null=True)
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
    mode = models.CharField(max_length=14, choices=Mode, default=Mode.HUMAN)
    answer_use = models.CharField(max_length=7, choices=AnswerUse, default=AnswerUse.FUSE)
    ask_strategy = models.CharField(max_length=16, choices=AskStrategy, default=AskStrategy.ZERO_SHOT)
    shows_votes = models.BooleanField(default=False)
    draws = models.PositiveSmallIntegerField(default=1)
    sure_from = models.FloatField(default=0.8)
    seed = models.BigIntegerField(default=0)
    generation = models.PositiveIntegerField(default=0)
    renewed = models.PositiveIntegerField(default=0)
    is_renewal_asked = models.BooleanField(default=False)
    row_count = models.BigIntegerField()
    voted = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    hard = models.BigIntegerField(default=0)
    decided = models.BigIntegerField(default=0)
    asking = models.BigIntegerField(default=0)
    verified = models.BigIntegerField(default=0)
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
        return self.hard - self.decided - self.verified - self.asking

    @property
    def has_verifier(self) -> bool:
        """Whether a language model gives the second review."""
        return self.mode != Mode.HUMAN

    @property
    def reviewed(self) -> int:
        """Hard rows that have their second review, from a person or a language model."""
        return self.decided + self.verified

    @property
    def unreviewed(self) -> int:
        """Hard rows that wait for a person or a language model."""
        return self.hard - self.reviewed

    @property
    def pool_size(self) -> int:
        """Reviewed hard rows that no refinement round has taken yet: the hard pool."""
        return max(0, self.reviewed - self.learned)

    @property
    def is_pool_full(self) -> bool:
        """Whether a refinement round is due."""
        return self.beta is not None and self.pool_size >= self.beta

    @property
    def learns_from_reviews(self) -> bool:
        """Whether the race's winner may learn from what people decide.

        With a target error it may not: each time would be one more look at the certificate by which the run routes.
        """
        return self.aggregator == Aggregator.RACE and self.target_error is None

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
    AUDIT = "audit", _("The audit changed how votes are combined")


class PoolGeneration(models.Model):
    """The versions, aggregation and cut under which a run routes. Rows at or below (cut_score, cut_hash) go to review.

    `aggregation` is a fitted aggregator's state (engine: consensus), NULL for the run's own aggregator.

    `until` is the position at which its votes end where they stop at a full pool. The counters say what it changed:
    open rows voted again and taken off the queue, accepted rows voted again and given another label.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="generations")
    number = models.PositiveIntegerField(default=0)
    origin = models.CharField(max_length=8, choices=GenerationOrigin, default=GenerationOrigin.START)
    round_number = models.PositiveIntegerField(null=True)
    until = models.BigIntegerField(null=True)
    aggregation = models.JSONField(null=True)
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


class RunVerifier(models.Model):
    """A connection that verifies in a run; where there are several, their majority is the answer."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="verifiers")
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        """In the order in which they were chosen."""

        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("run", "connection"), name="run_verifier_once"),)

    def __str__(self) -> str:
        return f"{self.connection} in run {self.run_id}"


class LlmPilot(models.Model):
    """Some rows of a data set that language models were asked about before any run, within a cap of its own.

    `run` is the one whose hard rows were drawn, NULL where none had voted and the rows are random ones. `figures` is
    what came of it (pilots.figures), NULL until it is over; `note` is what it stumbled over. Who asks is in
    `connections`; where there are several their majority is the answer, as in a run.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="pilots")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="+")
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")
    connections = models.ManyToManyField(Connection, related_name="+")
    ask_strategy = models.CharField(max_length=16, choices=AskStrategy, default=AskStrategy.ZERO_SHOT)
    shows_votes = models.BooleanField(default=False)
    draws = models.PositiveSmallIntegerField(default=1)
    wanted = models.PositiveIntegerField()
    cap_nano = models.BigIntegerField()
    figures = models.JSONField(null=True)
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """The newest first."""

        ordering = ("-id",)

    def __str__(self) -> str:
        return f"pilot {self.pk}"


class PilotRow(models.Model):
    """A row of a pilot as it was drawn: what the pool says of it, and the class that was known then, if any was."""

    pilot = models.ForeignKey(LlmPilot, models.CASCADE, related_name="rows")
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="+", db_index=False)
    generation = models.PositiveIntegerField(default=0)
    pool_class = models.ForeignKey(LabelClass, models.PROTECT, null=True, related_name="+", db_index=False)
    pool_confidence = models.FloatField(null=True)
    known_class = models.ForeignKey(LabelClass, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        """A sample once."""

        constraints = (models.UniqueConstraint(fields=("pilot", "sample"), name="pilot_row_once"),)

    def __str__(self) -> str:
        return f"sample {self.sample_id} in pilot {self.pilot_id}"


class PilotAnswer(models.Model):
    """What a connection answered on a row; without a class it abstained. `keys` are of the calls behind it.

    `reason` is the model's own words, or why there is no class.
    """

    row = models.ForeignKey(PilotRow, models.CASCADE, related_name="answers", db_index=False)
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="+", db_index=False)
    label_class = models.ForeignKey(LabelClass, models.PROTECT, null=True, related_name="+", db_index=False)
    confidence = models.FloatField(null=True)
    outcome = models.CharField(max_length=10)
    reason = models.TextField(blank=True, default="", db_default="")
    keys = models.JSONField(default=list)

    class Meta:
        """One a row and connection."""

        constraints = (models.UniqueConstraint(fields=("row", "connection"), name="pilot_answer_once"),)

    def __str__(self) -> str:
        return f"answer on row {self.row_id}"
