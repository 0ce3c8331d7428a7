"""A running site on a database of its own, this process beside it, and people who have sessions."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.client import fetch, sign_in
from benchmarks.main_job import wait_for
from benchmarks.protocol import Client, Line
from benchmarks.scratch_site import ScratchSite, scratch_database

SERVER = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")


@contextmanager
def site_on(folder: Path, *, on_postgres: bool, settings: Mapping[str, str] = {}) -> Iterator[ScratchSite]:
    """A migrated site, not yet opened, with this process beside it. Once a process: settings are read once."""
    if not on_postgres:
        with _site(folder, settings) as site:
            yield site
        return
    with (
        scratch_database(SERVER, f"bench_{os.getpid()}") as url,
        _site(folder, {"DATABASE_URL": url, **settings}) as site,
    ):
        yield site


@contextmanager
def _site(folder: Path, settings: Mapping[str, str]) -> Iterator[ScratchSite]:
    shutil.rmtree(folder, ignore_errors=True)
    with ScratchSite(folder, settings) as site:
        os.environ.update(settings, AUTOANNOTATOR_DATA=str(folder), DJANGO_SETTINGS_MODULE="labeling.conf.settings")
        import django

        django.setup()
        try:
            yield site
        finally:
            _hang_up()


def _hang_up() -> None:
    from django.db import connection

    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()


def open_site(site: ScratchSite, web_processes: int = 1) -> None:
    """Start it and wait until it answers."""

    def answers() -> bool:
        try:
            return fetch(site.port, "/health/live", "")[0] < 500
        except OSError:
            return False

    site.open(web_processes)
    wait_for(answers, limit_s=60, every_s=0.1)


def make_reviewed(rows: int) -> tuple[Any, Any, Any]:
    """(project, owner, run) in the middle of its review: a quarter of the rows went to people, a tenth is decided."""
    from benchmarks.large_project import CLASSES, make_large
    from labeling.accounts.actions import create_user
    from labeling.projects.actions import ClassSpec, create_project

    owner = create_user(username="bench", is_staff=True)
    project = create_project(owner=owner, name="Review", classes=[ClassSpec(name) for name in CLASSES])
    return project, owner, make_large(project, owner, rows)


def make_people(project: Any, count: int, name: str) -> list[str]:
    """The cookies of so many new annotators of the project."""
    from labeling.accounts.actions import create_user
    from labeling.projects.models import Membership, Role

    users = [create_user(username=f"{name}-{number}") for number in range(count)]
    for user in users:
        Membership.objects.create(project=project, user=user, role=Role.ANNOTATOR)
    return [sign_in(user) for user in users]


def make_clients(site: ScratchSite, project: Any, count: int) -> list[Client]:
    """So many new annotators who speak the wire."""
    class_ids = list(project.classes.order_by("position").values_list("id", flat=True))
    people = make_people(project, count, "client")
    return [Client(Line(site.port, cookies), project.slug, class_ids) for cookies in people]


def locked_lines(site: ScratchSite) -> int:
    """How often web and workers found the database locked."""
    return (site.folder / "up.log").read_text(encoding="utf-8", errors="replace").count("database is locked")
