"""What people say beside a decision, what is said to them, and how they like the screen."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from labeling.labels.models import ReviewItem


class Skip(models.Model):
    """A person passed an item over: it comes back for others, for them only when nothing else is left.

    It counts until it is undone, or the item was returned to the queue.
    """

    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="skips")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="skips", db_index=False)
    client_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    undo_id = models.UUIDField(null=True, unique=True)

    class Meta:
        """A person's last ones are found at once."""

        ordering = ("id",)
        indexes = (
            models.Index(fields=("item", "user"), condition=Q(ended_at=None), name="skip_counts"),
            models.Index(fields=("user", "created_at"), name="skip_day"),
        )

    def __str__(self) -> str:
        return f"skip of item {self.item_id}"


class Flag(models.Model):
    """A person hands an item to a reviewer, with a word on why. It waits until one settles it or it is undone."""

    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="flags")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="flags", db_index=False)
    client_id = models.UUIDField(unique=True)
    note = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    undo_id = models.UUIDField(null=True, unique=True)

    class Meta:
        """A person's last ones are found at once."""

        ordering = ("id",)
        indexes = (models.Index(fields=("user", "created_at"), name="flag_day"),)

    def __str__(self) -> str:
        return f"flag on item {self.item_id}"


class Comment(models.Model):
    """What a person remarks on an item; reviewers read it, other annotators of the same item do not."""

    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="comments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    client_id = models.UUIDField(unique=True)
    text = models.CharField(max_length=2000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """As they were written."""

        ordering = ("id",)

    def __str__(self) -> str:
        return f"comment on item {self.item_id}"


class Return(models.Model):
    """An item came back to the queue by somebody's hand: why, and to whom if to one person alone.

    `before` is what an undo needs (review.desk.undoing); with an `undo_id` it was undone and counts no more.
    """

    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="returns")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    reason = models.CharField(max_length=500, blank=True)
    before = models.JSONField(null=True)
    undo_id = models.UUIDField(null=True, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """As they came."""

        ordering = ("id",)

    def __str__(self) -> str:
        return f"return of item {self.item_id}"


class Preferences(models.Model):
    """How a person likes the review screen. `keys` has the keys of their own by action name (review.keymap)."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="review_preferences")
    is_auto_advancing = models.BooleanField(default=True)
    keys = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"
