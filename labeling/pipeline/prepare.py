"""What must stand before the site is served: the tables, the static files, somebody who may come in."""

import hashlib
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from labeling.accounts.actions import ensure_operator
from labeling.accounts.links import signin_path
from labeling.accounts.queries import has_anyone_signed_in
from labeling.runs.models import Run, RunState

STATIC_MARK = "static.sha256"


def migrate() -> bool:
    """Bring the database up to date; whether there was anything to do."""
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    call_command("migrate", interactive=False, verbosity=0)
    return True


def collect_static() -> bool:
    """Gather and compress the static files when they are missing or have changed; whether there was anything to do."""
    if settings.WHITENOISE_USE_FINDERS:
        return False
    mark, now = settings.DATA / STATIC_MARK, _fingerprint()
    is_there = (Path(settings.STATIC_ROOT) / "staticfiles.json").exists()
    if is_there and mark.exists() and mark.read_text(encoding="ascii") == now:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    mark.write_text(now, encoding="ascii")
    return True


def _fingerprint() -> str:
    """A hash over names, sizes and times of all static files."""
    found = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            found.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return found.hexdigest()


def first_signin_path() -> str | None:
    """The path of a one-time link for the first operator, until anybody has signed in; then None.

    It leads to the run that votes, where there is one.
    """
    if has_anyone_signed_in():
        return None
    link = signin_path(ensure_operator())
    run = Run.objects.filter(state=RunState.RUNNING).select_related("project").first()
    if run is None:
        return link
    page = reverse("runs:detail", kwargs={"slug": run.project.slug, "number": run.number})
    return f"{link}?{urlencode({'next': page})}"
