"""What annotators say beside a decision."""

from django.conf import settings
from django.db import models

from labeling.labels.models import ReviewItem


class Skip(models.Model):
    """A person passed an item over: it comes back for others, and for them only when nothing else is left."""

    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="skips")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Once an item and person."""

        constraints = (models.UniqueConstraint(fields=("item", "user"), name="skip_once"),)

    def __str__(self) -> str:
        return f"skip of item {self.item_id}"
