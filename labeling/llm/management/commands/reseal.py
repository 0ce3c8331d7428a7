"""`manage.py reseal`: the keys of connections under the SECRET_KEY of today, so that a fallback can go."""

from django.core.management.base import BaseCommand

from labeling.llm.actions.connections import reseal_keys


class Command(BaseCommand):
    """Seals all keys anew. Source: docs/decisions/0028."""

    help = "Seal the keys of language models under today's SECRET_KEY. Then SECRET_KEY_FALLBACKS can be emptied."

    def handle(self, *_args: object, **_options: object) -> None:
        """Seal them and say how many."""
        done, lost = reseal_keys()
        self.stdout.write(f"Sealed anew: {done}.")
        if lost:
            self.stdout.write(f"Cannot be read with any SECRET_KEY given: {lost}. Enter these again on their pages.")
