"""People."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person who signs in. `is_staff` marks an operator of the installation; rights in projects are Memberships."""

    class Meta(AbstractUser.Meta):
        """Django's own user options."""
