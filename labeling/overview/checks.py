"""What an operator asks first: is everything there, and which command mends it."""

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from kombu.exceptions import KombuError

from annotator_core.scripts.box import WhyNot, probe_box
from labeling.jobs.queries import alive_workers, silent_queues
from labeling.refinement.actions.prune import prune_versions, store_size
from labeling.specialists.models import SpecialistVersion
from labeling.web.wording import word_number

QUEUES = ("io", "consensus", "refine")
LITTLE_SPACE = 5 * 1024**3  # chosen: a run over a million rows and a few models fit
NO_SPACE = 500 * 1024**2  # chosen: under it imports and exports begin to fail
BROKER_TIMEOUT_S = 2.0
MIGRATE, UP, STATIC = "python manage.py migrate", "python manage.py up", "python manage.py collectstatic --noinput"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: state good, attention or bad; `command` mends it, empty where none does."""

    name: str
    state: str
    text: str
    command: str = ""


def doctor_checks() -> list[Check]:
    """Everything in the order in which things break. A database that does not answer ends the list of what needs it."""
    first = [_database(), _key(), _data_folder(), _model_store(), _static_files(), _broker(), _box()]
    if first[0].state != "good":
        return first
    return [*first, *_asked(_migrations), *_asked(_workers), *_asked(_versions)]


def is_ready() -> bool:
    """Whether this process can serve: the database answers and has all its tables."""
    return _database().state == "good" and all(check.state == "good" for check in _asked(_migrations))


def _asked(look: Callable[[], list[Check]]) -> list[Check]:
    try:
        return look()
    except DatabaseError as error:
        return [Check(_("Tables"), "bad", str(error).strip(), MIGRATE)]


def _database() -> Check:
    name, begun = _("Database"), monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        text = _("It does not answer: %(error)s Check DATABASE_URL, and that the server runs.")
        return Check(name, "bad", text % {"error": str(error).strip()})
    words = {"kind": connection.display_name, "ms": f"{1000 * (monotonic() - begun):.1f}"}
    return Check(name, "good", _("%(kind)s answers in %(ms)s ms.") % words)


def _migrations() -> list[Check]:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if not missing:
        return [Check(_("Tables"), "good", _("All migrations are applied."))]
    text = ngettext("%(n)d migration is not applied.", "%(n)d migrations are not applied.", missing) % {"n": missing}
    return [Check(_("Tables"), "bad", text, MIGRATE)]


def _broker() -> Check:
    name = _("Broker")
    if settings.IS_EMBEDDED_BROKER:
        folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"])
        return _writable(name, folder, _("A folder on this machine; bells reach the workers."))
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT_S) as link:
            link.ensure_connection(max_retries=0, timeout=BROKER_TIMEOUT_S)
    except (KombuError, OSError) as error:
        text = _("Not reached (%(error)s). Work goes on without it, up to two seconds later. Check BROKER_URL.")
        return Check(name, "attention", text % {"error": str(error)[:200]})
    return Check(name, "good", _("Reached."))


def _workers() -> list[Check]:
    alive = alive_workers()
    silent = silent_queues()
    checks = []
    for queue in sorted({*QUEUES, *silent}):
        count = sum(queue in beat.queues.split(",") for beat in alive)
        checks.append(_worker(queue, count, is_needed=queue in silent))
    return checks


def _worker(queue: str, count: int, *, is_needed: bool) -> Check:
    name = _("Workers for “%(queue)s”") % {"queue": queue}
    if count:
        return Check(name, "good", ngettext("%(n)d is alive.", "%(n)d are alive.", count) % {"n": count})
    text = _("None is alive and work is waiting.") if is_needed else _("None is alive; nothing waits just now.")
    command = UP if settings.IS_EMBEDDED_BROKER else f"celery -A labeling.conf worker -Q {queue}"
    return Check(name, "bad" if is_needed else "attention", text, command)


def _data_folder() -> Check:
    name, free = _("Data folder"), shutil.disk_usage(settings.DATA).free
    text = _("%(gb)s GB free in %(path)s.") % {"gb": word_number(free / 1024**3, 1), "path": settings.DATA}
    if free < LITTLE_SPACE:
        return Check(name, "bad" if free < NO_SPACE else "attention", text, f"du -sh {settings.DATA}/*")
    return _writable(name, Path(settings.DATA), text)


def _model_store() -> Check:
    folder = Path(settings.MODEL_STORE)
    if not folder.is_dir():
        return _writable(_("Model store"), folder, "")
    used, free = store_size(), shutil.disk_usage(folder).free
    words = {"used": word_number(used / 1024**3, 1), "free": word_number(free / 1024**3, 1), "path": folder}
    text = _("%(used)s GB in %(path)s, %(free)s GB free.") % words
    if free < NO_SPACE:
        return Check(_("Model store"), "bad", text, f"du -sh {folder}/*")
    return _writable(_("Model store"), folder, text)


def _versions() -> list[Check]:
    """How many versions have weights, and what removing those that nobody needs would free."""
    count = SpecialistVersion.objects.filter(pruned_at=None).count()
    would = prune_versions(dry_run=True)
    text = ngettext("%(n)d version has its weights.", "%(n)d versions have their weights.", count) % {"n": count}
    if would.bytes:
        words = {"count": would.count, "gb": word_number(would.bytes / 1024**3, 1)}
        text += " " + _("Pruning would take the weights of %(count)d and free %(gb)s GB.") % words
    state = "attention" if would.bytes > LITTLE_SPACE else "good"
    return [Check(_("Versions"), state, text)]


def _writable(name: str, folder: Path, text: str) -> Check:
    if folder.is_dir() and os.access(folder, os.W_OK):
        return Check(name, "good", text)
    problem = _("%(path)s is missing or may not be written.") % {"path": folder}
    return Check(name, "bad", problem, f"mkdir -p {folder} && chown $(id -u) {folder}")


def _static_files() -> Check:
    name = _("Static files")
    if settings.WHITENOISE_USE_FINDERS:
        return Check(name, "good", _("Served from their sources."))
    if (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        return Check(name, "good", _("Collected."))
    return Check(name, "bad", _("Not collected: pages cannot be drawn."), STATIC)


def _box() -> Check:
    """Of this machine: scripts run where the heavy workers are."""
    name, box = _("Box for scripts"), probe_box()
    if isinstance(box, WhyNot):
        return Check(name, "attention", _("Scripts are off here: %(reason)s") % {"reason": box.reason})
    return Check(name, "good", _("bubblewrap makes a tight one."))


def _key() -> Check:
    name = _("Secret key")
    if settings.IS_KEY_GIVEN:
        return Check(name, "good", _("Given by the environment."))
    path = Path(settings.DATA) / "secret-key"
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Check(name, "bad", _("Others on this machine may read it."), f"chmod 600 {path}")
    return Check(name, "good", _("In the data folder, readable by its owner only."))
