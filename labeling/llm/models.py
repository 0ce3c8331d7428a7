"""Connections to language models, what they cost, and the ledger of every call. Money in nano-dollars (1e-9 USD)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.projects.models import Project


class Connection(models.Model):
    """An OpenAI-compatible endpoint and a model there. The key is kept encrypted and never shown again.

    `capability` is what the last test found (engine: verifiers.capability), empty before the first. A retired
    connection is used no more; what it answered stays. `error` is why it was refused last, empty when it works.
    `breaks` says how often it was left alone in a row without an answer between (engine: verifiers.pace.Breaks), the
    last `silent_breaks` of them because it did not answer; nobody asks it before `quiet_until`.
    `reserve_percent` of a call's worst case are set aside before it is sent: more than all of it where the server has
    counted more tokens than there can be.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="connections")
    name = models.CharField(max_length=80)
    base_url = models.CharField(max_length=300)
    model = models.CharField(max_length=200)
    encrypted_key = models.TextField(blank=True)
    timeout_s = models.FloatField(default=60)
    concurrency = models.PositiveSmallIntegerField(default=8)
    requests_per_minute = models.PositiveIntegerField(null=True)
    capability = models.JSONField(default=dict)
    tested_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    error_at = models.DateTimeField(null=True)
    breaks = models.PositiveIntegerField(default=0)
    silent_breaks = models.PositiveIntegerField(default=0)
    quiet_until = models.DateTimeField(null=True)
    reserve_percent = models.PositiveIntegerField(default=100)
    is_retired = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Names are unique in a project."""

        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("project", "name"), name="connection_name_once"),)

    def __str__(self) -> str:
        return self.name

    @property
    def has_key(self) -> bool:
        """Whether a key is kept."""
        return bool(self.encrypted_key)

    @property
    def is_quiet(self) -> bool:
        """Whether it is left alone for now."""
        return self.quiet_until is not None and self.quiet_until > timezone.now()


class Price(models.Model):
    """What a connection's tokens cost from a day on, in dollars a million. The newest that has begun holds."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="prices")
    input_usd = models.DecimalField(max_digits=10, decimal_places=4)
    cached_usd = models.DecimalField(max_digits=10, decimal_places=4)
    output_usd = models.DecimalField(max_digits=10, decimal_places=4)
    valid_from = models.DateField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One a day; the newest first."""

        ordering = ("-valid_from",)
        constraints = (models.UniqueConstraint(fields=("connection", "valid_from"), name="price_once"),)

    def __str__(self) -> str:
        return f"price of connection {self.connection_id} from {self.valid_from}"


class Budget(models.Model):
    """What a run may cost (or what the project asks outside any run, `run` 0), what is set aside, what was spent.

    `run` is a run's id as a plain number; -1 are tests of connections (queries.TESTS). Money is set aside before a call
    is sent, only while spent + reserved + reserve <= cap. Without a cap nothing is asked.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="budgets")
    run = models.BigIntegerField(default=0)
    cap_nano = models.BigIntegerField(default=0)
    reserved_nano = models.BigIntegerField(default=0)
    spent_nano = models.BigIntegerField(default=0)

    class Meta:
        """One a run."""

        constraints = (models.UniqueConstraint(fields=("project", "run"), name="budget_once"),)

    def __str__(self) -> str:
        return f"budget of run {self.run}"

    @property
    def left_nano(self) -> int:
        """What may still be set aside."""
        return max(0, self.cap_nano - self.spent_nano - self.reserved_nano)


class Purpose(models.TextChoices):
    """What a call was for."""

    VERIFY = "verify", _("Verification")
    TEST = "test", _("Test of a connection")
    SEARCH = "search", _("Model search")
    SCRIPT = "script", _("Script")
    PILOT = "pilot", _("Pilot")


class CallState(models.TextChoices):
    """RESERVED: sent or about to be. STORED: its answer is kept. LOST: paid without one. FAILED: cost nothing.

    What is LOST is booked at its reserve, but for an answer that was kept before: that is booked at its cost.
    """

    RESERVED = "reserved", _("On its way")
    STORED = "stored", _("Answered")
    LOST = "lost", _("Answer lost")
    FAILED = "failed", _("Failed")


class LlmCall(models.Model):
    """One request: the prompt as it was sent, the answer as it came, tokens, money.

    `run` and `sample` are plain ids (0 outside a run). `key` is the exact cache's (engine: verifiers.contract.Call).
    `chunk` and `attempts` say which claim of the verifying work sent it: what an older claim left RESERVED is lost.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="calls", db_index=False)
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.VERIFY)
    run = models.BigIntegerField(default=0)
    sample = models.BigIntegerField(default=0)
    chunk = models.BigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    key = models.CharField(max_length=64)
    model = models.CharField(max_length=200)
    messages = models.JSONField(default=list)
    draw = models.PositiveSmallIntegerField(default=0)
    ask = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=CallState, default=CallState.RESERVED)
    failure = models.CharField(max_length=20, blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    content = models.TextField(blank=True)
    finish = models.CharField(max_length=40, blank=True)
    class_probs = models.JSONField(null=True)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_cached = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    is_estimated = models.BooleanField(default=False)
    reserve_nano = models.BigIntegerField(default=0)
    cost_nano = models.BigIntegerField(default=0)
    latency_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        """A stored answer is kept once a key; read by run, sample and connection, tests alone, what a claim left."""

        constraints = (
            models.UniqueConstraint(fields=("project", "key"), condition=Q(state="stored"), name="call_stored_once"),
        )
        indexes = (
            models.Index(fields=("project", "run", "id"), name="call_run"),
            models.Index(fields=("sample", "id"), name="call_sample"),
            models.Index(fields=("connection", "created_at"), name="call_connection"),
            models.Index(fields=("chunk",), condition=Q(state="reserved"), name="call_open"),
            models.Index(fields=("connection", "created_at"), condition=Q(purpose="test"), name="call_test"),
        )

    def __str__(self) -> str:
        return f"call {self.pk}"


class Spending(models.Model):
    """What was settled in one minute for one run by one connection: pages add these up and never count calls.

    Written in the transaction that settles the calls, under the lock of their budget. `above` are calls that cost more
    than was set aside for them, `above_nano` what they cost more.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="spendings")
    purpose = models.CharField(max_length=8, choices=Purpose)
    run = models.BigIntegerField(default=0)
    minute = models.DateTimeField()
    stored = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    tokens_in = models.BigIntegerField(default=0)
    tokens_cached = models.BigIntegerField(default=0)
    tokens_out = models.BigIntegerField(default=0)
    latency_ms = models.BigIntegerField(default=0)
    cost_nano = models.BigIntegerField(default=0)
    above = models.PositiveIntegerField(default=0)
    above_nano = models.BigIntegerField(default=0)

    class Meta:
        """One a run, connection, purpose and minute."""

        constraints = (
            models.UniqueConstraint(fields=("project", "run", "connection", "purpose", "minute"), name="spending_once"),
        )

    def __str__(self) -> str:
        return f"spending of connection {self.connection_id} at {self.minute:%Y-%m-%d %H:%M}"


class Seat(models.Model):
    """Calls of a connection that one part of some work may have under way; a lease, kept while it asks.

    Over all seats of a connection that have not ended `slots` add up to its concurrency at most. One without slots
    waits for others to make room.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="seats")
    owner = models.CharField(max_length=80)
    slots = models.PositiveSmallIntegerField(default=0)
    until = models.DateTimeField()

    class Meta:
        """One an owner."""

        constraints = (models.UniqueConstraint(fields=("connection", "owner"), name="seat_once"),)

    def __str__(self) -> str:
        return f"{self.slots} calls of connection {self.connection_id} for {self.owner}"
