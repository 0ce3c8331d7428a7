"""Projects, their label classes, guidelines and members."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

PALETTE_SLOTS = 24


class Role(models.TextChoices):
    """Roles in a project, weakest first; each may do what those before it may."""

    ANNOTATOR = "annotator", _("Annotator")
    REVIEWER = "reviewer", _("Reviewer")
    MANAGER = "manager", _("Manager")
    OWNER = "owner", _("Owner")

    @property
    def rank(self) -> int:
        """0 for the weakest role, rising."""
        return list(Role).index(self)


class ReviewOrder(models.TextChoices):
    """In which order a project's texts come to its people."""

    UNCERTAIN = "uncertain", _("Least certain first")
    OLDEST = "oldest", _("In the order of the data")
    RANDOM = "random", _("At random")
    MIX = "mix", _("A mix: 60% least certain, 30% at random, 10% conflicts")


class VotesShown(models.TextChoices):
    """Whether annotators may see the specialists' votes on a text before they decide it."""

    HIDDEN = "hidden", _("Behind the key v")
    SHOWN = "shown", _("At once")
    NEVER = "never", _("Never")


class Project(models.Model):
    """Label classes, a guideline, members and everything below.

    The last fields say how its people review: `overlap` and `audit_overlap` people answer a text (for an audit), as far
    as the project has that many; harsh texts are blurred until somebody looks.
    """

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="projects")
    review_order = models.CharField(max_length=10, choices=ReviewOrder, default=ReviewOrder.UNCERTAIN)
    overlap = models.PositiveSmallIntegerField(default=1)
    audit_overlap = models.PositiveSmallIntegerField(default=2)
    votes_shown = models.CharField(max_length=10, choices=VotesShown, default=VotesShown.HIDDEN)
    is_harsh = models.BooleanField(default=False)

    class Meta:
        """Newest first."""

        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name


class LabelClass(models.Model):
    """One of the possible answers of a project. A used class is retired, never deleted.

    `key` is stable for the project's life; empty when all keys were taken. `slot` (0-23) is its colour in the palette.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="classes")
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True)
    key = models.CharField(max_length=1, blank=True)
    slot = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveSmallIntegerField()
    is_retired = models.BooleanField(default=False)

    class Meta:
        """In the order the manager gave."""

        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(fields=("project", "name"), name="class_name_once"),
            models.UniqueConstraint(
                fields=("project", "key"),
                condition=models.Q(is_retired=False) & ~models.Q(key=""),
                name="class_key_once",
            ),
        )

    def __str__(self) -> str:
        return self.name


class GuidelineVersion(models.Model):
    """The guideline as it stood: Markdown. The newest is current."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="guidelines")
    text = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Newest first."""

        ordering = ("-id",)

    def __str__(self) -> str:
        return f"guideline {self.pk}"


class Membership(models.Model):
    """A person's role in a project."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One role a person and project."""

        constraints = (models.UniqueConstraint(fields=("project", "user"), name="membership_once"),)

    def __str__(self) -> str:
        return f"{self.user} is {self.role}"


class Invitation(models.Model):
    """A link by which anybody who has it joins the project in one role, until it expires, is used up or called back.

    The link carries the signed id (projects.invitations); `places` is how many people may still use it.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role)
    places = models.PositiveSmallIntegerField(default=1)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first."""

        ordering = ("-id",)

    def __str__(self) -> str:
        return f"invitation {self.pk}"
