"""Specialists: small language models that vote, their versions and trials, and how the hub was searched for them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from labeling.llm.models import Connection
from labeling.projects.models import Project


class Source(models.TextChoices):
    """Where a specialist's files come from."""

    HUB = "hub", _("Model hub")
    FOLDER = "folder", _("Folder on the server")
    TRAINED = "trained", _("Trained here")
    SCRIPT = "script", _("An accepted script")


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


class ModelSearch(models.Model):
    """A search of the hub for models that fit the project's task, as it was asked for; a job does it.

    `class_ids` and `class_names` are the classes of that day, in one order. `connection`: the language model that
    writes the queries and judges cards, at most for `cap_nano`. `rows`: [sample id, class id or null] of the pilot
    rows, drawn once. `is_by_llm` and `compared_by` say what did the work in the end, `problem` why not the language
    model.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="model_searches")
    description = models.TextField()
    class_ids = models.JSONField()
    class_names = models.JSONField()
    wanted = models.PositiveSmallIntegerField()
    max_bytes = models.BigIntegerField()
    connection = models.ForeignKey(Connection, models.SET_NULL, null=True, related_name="+")
    cap_nano = models.BigIntegerField(default=0)
    queries = models.JSONField(default=list)
    is_by_llm = models.BooleanField(default=False)
    compared_by = models.CharField(max_length=5, blank=True)
    problem = models.TextField(blank=True)
    rows = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Newest first."""

        ordering = ("-id",)

    def __str__(self) -> str:
        return f"search {self.pk}"


class CandidateState(models.TextChoices):
    """How far a candidate got. REFUSED is not safe to load or no classifier; PASSED: others fit the task better."""

    LISTED = "listed", _("Listed")
    READ = "read", _("Read")
    REFUSED = "refused", _("Not taken")
    PASSED = "passed", _("Passed over")
    PICKED = "picked", _("Waiting for its trial")
    FETCHED = "fetched", _("Fetched")
    ASKED = "asked", _("Tried")
    FAILED = "failed", _("Failed")


class Candidate(models.Model):
    """A model of the hub that a search came upon. Everything in it is foreign text: shown escaped, never believed.

    `revision` is the commit that everything was read at. `targets` holds for each model label the class id that it may
    mean, or null; `origins` how that was found: both await a person's word. `answers` is the index of the model's own
    label for each pilot row, -1 for none. `abstained`, `accuracy` and the like are shares, 0 to 1.
    """

    search = models.ForeignKey(ModelSearch, models.CASCADE, related_name="candidates")
    position = models.PositiveSmallIntegerField()
    model_id = models.CharField(max_length=200)
    found_by = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=CandidateState, default=CandidateState.LISTED)
    error = models.TextField(blank=True)
    refusals = models.JSONField(default=list)
    revision = models.CharField(max_length=40, blank=True)
    downloads = models.BigIntegerField(default=0)
    likes = models.BigIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    license = models.CharField(max_length=80, blank=True)
    architecture = models.CharField(max_length=80, blank=True)
    model_labels = models.JSONField(default=list)
    card = models.TextField(blank=True)
    similarity = models.FloatField(null=True)
    targets = models.JSONField(default=list)
    origins = models.JSONField(default=list)
    answers = models.JSONField(default=list)
    truncated = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    gold_rows = models.PositiveIntegerField(default=0)
    accuracy = models.FloatField(null=True)
    accuracy_low = models.FloatField(null=True)
    accuracy_high = models.FloatField(null=True)
    abstained = models.FloatField(null=True)
    information = models.FloatField(null=True)
    agreement = models.FloatField(null=True)
    rank = models.PositiveSmallIntegerField(null=True)
    why_not = models.CharField(max_length=16, blank=True)
    specialist = models.ForeignKey(Specialist, models.SET_NULL, null=True, related_name="found_as")

    class Meta:
        """Once a search."""

        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("search", "model_id"), name="candidate_once"),)

    def __str__(self) -> str:
        return self.model_id

    @property
    def is_recommended(self) -> bool:
        """Whether the search says to take it."""
        return self.rank is not None and not self.why_not


class ScriptKind(models.TextChoices):
    """What a script does (engine: scripts.kinds)."""

    DEPLOY = "deploy", _("Deploy: load the model and answer")
    ANNOTATE = "annotate", _("Annotate: vote on texts")
    FINE_TUNE = "fine_tune", _("Fine-tune: learn from labeled texts")


class ScriptSource(models.TextChoices):
    """Who wrote a script."""

    TEMPLATE = "template", _("A template")
    LLM = "llm", _("A language model")


class ScriptState(models.TextChoices):
    """How far a script got. REFUSED: the check found something. TRIED: there is a comparison, whatever it says."""

    WRITING = "writing", _("Being written")
    REFUSED = "refused", _("Refused by the check")
    WRITTEN = "written", _("Being tried")
    TRIED = "tried", _("Tried")
    FAILED = "failed", _("Failed")
    ACCEPTED = "accepted", _("Accepted")


class GeneratedScript(models.Model):
    """A script about one version of a specialist, as it was asked for; a job writes and tries it. Never changed after.

    `connection`: the language model that writes it, at most for `cap_nano`. `checks`: what the check found, as {line,
    message}. `comparison`: what became of it on pilot rows beside the engine, with `passes`, empty while it was not
    tried; with `weights_hash` of the model that it trained, empty where none was kept. `voter`: the specialist that
    votes by it, or with what it trained, made when a manager asks for that.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="scripts")
    number = models.PositiveIntegerField()
    version = models.ForeignKey(SpecialistVersion, models.PROTECT, related_name="scripts")
    kind = models.CharField(max_length=9, choices=ScriptKind)
    source = models.CharField(max_length=8, choices=ScriptSource, default=ScriptSource.TEMPLATE)
    connection = models.ForeignKey(Connection, models.SET_NULL, null=True, related_name="+")
    cap_nano = models.BigIntegerField(default=0)
    state = models.CharField(max_length=8, choices=ScriptState, default=ScriptState.WRITING)
    code = models.TextField(blank=True)
    checks = models.JSONField(default=list)
    comparison = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    voter = models.ForeignKey(Specialist, models.SET_NULL, null=True, related_name="+")
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Numbered within the project; the newest first."""

        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("project", "number"), name="script_number_once"),)

    def __str__(self) -> str:
        return f"script {self.number}"

    @property
    def is_busy(self) -> bool:
        """Whether a job is at work on it."""
        return self.state in {ScriptState.WRITING, ScriptState.WRITTEN}

    @property
    def passes(self) -> bool:
        """Whether it did well enough on the pilot rows to be accepted."""
        return bool(self.comparison.get("passes"))
