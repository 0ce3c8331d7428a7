"""The facts about samples: votes, consensus, review items, verdicts (append-only) and the current label."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from annotator_core.types import LabelSource, Route
from labeling.datasets.models import Dataset, Sample
from labeling.llm.models import Connection, LlmCall
from labeling.projects.models import LabelClass, Project
from labeling.runs.models import Run
from labeling.specialists.models import SpecialistVersion


class Vote(models.Model):
    """A version's answer on one sample, reusable by every later run. An abstention has no class and a reason."""

    sample = models.ForeignKey(Sample, models.CASCADE, related_name="votes", db_index=False)
    version = models.ForeignKey(SpecialistVersion, models.PROTECT, related_name="votes", db_index=False)
    label_class = models.ForeignKey(LabelClass, models.PROTECT, null=True, related_name="+", db_index=False)
    top_probability = models.FloatField(null=True)
    probs = models.BinaryField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        """One a sample and version."""

        constraints = (models.UniqueConstraint(fields=("sample", "version"), name="vote_once"),)

    def __str__(self) -> str:
        return f"vote of version {self.version_id} on sample {self.sample_id}"


class Consensus(models.Model):
    """What the pool says of a sample in one generation of a run; `route` stays NULL until a budget's cut is found.

    The newest generation's row of a sample is current; the others are its history.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="+", db_index=False)
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="consensus")
    generation = models.PositiveIntegerField(default=0)
    is_current = models.BooleanField(default=True)
    label_class = models.ForeignKey(LabelClass, models.PROTECT, null=True, related_name="+", db_index=False)
    uncertainty = models.FloatField()
    score = models.FloatField()
    confidence = models.FloatField(null=True)
    route = models.CharField(max_length=6, null=True, choices=[(r.value, r.name) for r in Route])  # noqa: DJ001 (NULL: no cut yet)

    class Meta:
        """One a run, sample and generation; the current ones are read by score: for a cut, and least certain first."""

        constraints = (
            models.UniqueConstraint(fields=("run", "sample", "generation"), name="consensus_once"),
            models.UniqueConstraint(
                fields=("run", "sample"), condition=Q(is_current=True), name="consensus_current_once"
            ),
        )
        indexes = (
            models.Index(fields=("run", "route", "score"), condition=Q(is_current=True), name="consensus_score"),
        )

    def __str__(self) -> str:
        return f"consensus on sample {self.sample_id}"


class ItemReason(models.TextChoices):
    """Why a text is in the queue."""

    HARD = "hard", _("The specialists disagree")
    UNCERTAIN = "uncertain", _("The specialists are not sure")
    RANDOM = "random", _("Drawn at random")
    SEED = "seed", _("To train the first specialists")
    AUDIT = "audit", _("Drawn for the audit")
    CONFLICT = "conflict", _("The language model contradicts the specialists")
    REOPENED = "reopen", _("Reopened")


class ItemState(models.TextChoices):
    """Where a review item stands."""

    OPEN = "open", _("To review")
    DECIDED = "decided", _("Decided")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Escalation(models.TextChoices):
    """Why an open item waits for a reviewer, and is on no annotator's screen. Empty: it is in the ordinary queue."""

    CONFLICT = "conflict", _("People disagree")
    FLAGGED = "flagged", _("Flagged")
    SKIPPED = "skipped", _("Skipped by all")


class ReviewItem(models.Model):
    """A text that needs a person. Equal texts of a data set share one item, whose verdict labels all copies.

    `needed` people answer it; where they agree it is decided, where not a reviewer adjudicates. An `assignee` is the
    only one who gets it: somebody to whom it was sent back, or whom a manager chose. `is_audited` marks one drawn at
    random for which an audit waits, too: it keeps its reason. `answered_by` names the people whose answers count while
    it is not decided, `skipped_by` those who have passed it over, both as judging.crowd_of writes them. Together they
    are its `crowd`: the queue is read crowd by crowd, so that what a person has answered or passed over is not even
    looked at when the person asks for more.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="items", db_index=False)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="items", db_index=False)
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="items")
    run = models.ForeignKey(Run, models.CASCADE, null=True, related_name="items")
    text_hash = models.CharField(max_length=32)
    reason = models.CharField(max_length=10, choices=ItemReason, default=ItemReason.HARD)
    is_blind = models.BooleanField(default=False)
    is_audited = models.BooleanField(default=False, db_default=False)
    needed = models.PositiveSmallIntegerField(default=1)
    priority = models.FloatField(default=0)
    copies = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.OPEN)
    escalation = models.CharField(max_length=10, choices=Escalation, blank=True, default="", db_default="")
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    answered_by = models.TextField(blank=True, default="", db_default="")
    skipped_by = models.TextField(blank=True, default="", db_default="")
    crowd = models.GeneratedField(
        expression=Concat("answered_by", "skipped_by"), output_field=models.TextField(), db_persist=True
    )
    version = models.PositiveIntegerField(default=0)

    class Meta:
        """One a text and run; the open ones of each crowd in each order of the queue, apart from those of the desk."""

        constraints = (
            models.UniqueConstraint(fields=("run", "text_hash"), name="item_once"),
            models.UniqueConstraint(
                fields=("dataset", "text_hash"), condition=Q(run=None), name="item_without_run_once"
            ),
        )
        indexes = (
            models.Index(
                fields=("project", "escalation", "crowd", "priority", "id"),
                condition=Q(state="open"),
                name="item_queue",
            ),
            models.Index(
                fields=("project", "escalation", "crowd", "sample", "id"),
                condition=Q(state="open"),
                name="item_oldest",
            ),
            models.Index(
                fields=("project", "escalation", "crowd", "text_hash", "id"),
                condition=Q(state="open"),
                name="item_random",
            ),
            models.Index(
                fields=("project", "reason", "escalation", "crowd", "priority", "id"),
                condition=Q(state="open"),
                name="item_reasons",
            ),
            # Whether the people to answer an item are as many as the project asks for now.
            models.Index(fields=("project", "reason", "needed", "id"), condition=Q(state="open"), name="item_needed"),
            # Whether an audit waits: with it, the texts that it shares with the queue.
            models.Index(fields=("project", "id"), condition=Q(state="open", is_audited=True), name="item_audited"),
            # Whether a text of the frame waits that no audit has drawn. SQLite takes the index of the most columns.
            models.Index(
                fields=("project", "reason", "escalation", "needed", "id"),
                condition=Q(state="open", is_blind=True),
                name="item_blind",
            ),
            models.Index(fields=("project", "escalation", "id"), condition=~Q(escalation=""), name="item_desk"),
            models.Index(fields=("assignee", "id"), condition=Q(assignee__isnull=False), name="item_assigned"),
            models.Index(fields=("dataset", "text_hash"), name="item_text"),
        )

    def __str__(self) -> str:
        return f"item {self.pk}"


class Lease(models.Model):
    """An item on somebody's screen. The unique slot keeps it off every other screen."""

    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="leases")
    slot = models.PositiveSmallIntegerField(default=0)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="leases")
    expires_at = models.DateTimeField()

    class Meta:
        """One holder a slot."""

        constraints = (models.UniqueConstraint(fields=("item", "slot"), name="lease_once"),)

    def __str__(self) -> str:
        return f"lease on item {self.item_id}"


class Sight(models.Model):
    """A person knows what was said of the item: an answer of theirs is not blind any more.

    A reviewer had it at the desk; an annotator saw votes and then passed it over, or left it out of the triage grid.
    """

    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="sights", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        """One an item and person; a person's are found at once."""

        constraints = (models.UniqueConstraint(fields=("user", "item"), name="sight_once"),)

    def __str__(self) -> str:
        return f"sight of item {self.item_id}"


class VerdictMode(models.TextChoices):
    """How a person came to an answer. One of many confirmed together is weaker evidence than one given alone."""

    SINGLE = "single", _("One text at a time")
    BULK = "bulk", _("Confirmed with others")
    ADJUDICATED = "adjudicated", _("Adjudicated")


class Finding(models.TextChoices):
    """Why people had disagreed, as the reviewer sees it who adjudicates."""

    AMBIGUOUS = "ambiguous", _("The text is ambiguous")
    GUIDELINE = "guideline", _("The guideline has a gap")
    MISTAKE = "mistake", _("An annotator's mistake")
    EDGE_CASE = "edge", _("An edge case")
    SUBJECTIVE = "subjective", _("A matter of opinion")


class Verdict(models.Model):
    """What a person decided on an item: append-only. An undo is a row without class that supersedes the one before.

    An adjudication stands beside its author's own answer, does not supersede it, and decides the item alone; its
    `escalation` is what it settled, `finding` and `note` say why people had disagreed.
    """

    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="verdicts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="verdicts")
    label_class = models.ForeignKey(LabelClass, models.PROTECT, null=True, related_name="+")
    client_id = models.UUIDField(unique=True)
    supersedes = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    is_current = models.BooleanField(default=True)
    is_undo = models.BooleanField(default=False)
    is_stale = models.BooleanField(default=False)
    has_seen_votes = models.BooleanField(default=False)
    mode = models.CharField(max_length=11, choices=VerdictMode, default=VerdictMode.SINGLE)
    finding = models.CharField(max_length=10, choices=Finding, blank=True, default="")
    note = models.CharField(max_length=2000, blank=True, default="", db_default="")
    escalation = models.CharField(max_length=10, choices=Escalation, blank=True, default="", db_default="")
    elapsed_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One current answer an item and person, one current adjudication an item."""

        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("item", "user"),
                condition=Q(is_current=True) & ~Q(mode="adjudicated"),
                name="verdict_current_once",
            ),
            models.UniqueConstraint(
                fields=("item",), condition=Q(is_current=True, mode="adjudicated"), name="adjudication_current_once"
            ),
        )
        # A person's last answers and those of today, whatever the number of all.
        indexes = (models.Index(fields=("user", "created_at", "id"), name="verdict_newest"),)

    def __str__(self) -> str:
        return f"verdict {self.pk}"


class VerifierAnswer(models.Model):
    """What one connection answered on a text in a run; equal texts share it. Without a class it abstained.

    `outcome` is the engine's (verifiers.contract.Outcome), `reason` the model's own words, `call` the last one behind
    it, which may have been made for an earlier run.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="answers", db_index=False)
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="answers")
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="+", db_index=False)
    text_hash = models.CharField(max_length=32)
    model = models.CharField(max_length=200)
    prompt_version = models.CharField(max_length=16)
    label_class = models.ForeignKey(LabelClass, models.PROTECT, null=True, related_name="+", db_index=False)
    confidence = models.FloatField(null=True)
    outcome = models.CharField(max_length=10)
    reason = models.TextField(blank=True)
    call = models.ForeignKey(LlmCall, models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One a text, run and connection."""

        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("run", "text_hash", "connection"), name="answer_once"),)

    def __str__(self) -> str:
        return f"answer on sample {self.sample_id}"


class Label(models.Model):
    """An answer for a sample with its source. One is current; replaced ones stay as history.

    `run` and `generation` say which pool stood behind it, `verdict` which person.
    """

    sample = models.ForeignKey(Sample, models.CASCADE, related_name="labels")
    label_class = models.ForeignKey(LabelClass, models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=12, choices=[(s.value, s.name) for s in LabelSource])
    confidence = models.FloatField(null=True)
    run = models.ForeignKey(Run, models.CASCADE, null=True, related_name="+", db_index=False)
    generation = models.PositiveIntegerField(null=True)
    verdict = models.ForeignKey(Verdict, models.PROTECT, null=True, related_name="labels")
    is_current = models.BooleanField(default=True)
    is_retracted = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        """One current label a sample."""

        constraints = (
            models.UniqueConstraint(fields=("sample",), condition=Q(is_current=True), name="label_current_once"),
        )

    def __str__(self) -> str:
        return f"label of sample {self.sample_id}"
