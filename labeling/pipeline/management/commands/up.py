"""`manage.py up`: the whole site on one machine, supervised."""

from argparse import ArgumentParser
from pathlib import Path

import psutil
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections
from django.utils.translation import gettext as _

from labeling.pipeline.address import check_bind, only_one, open_socket, parse_bind, site_address
from labeling.pipeline.practice import check_free, practice_server
from labeling.pipeline.prepare import collect_static, first_signin_path, migrate
from labeling.pipeline.supervise import ChildSpec, Supervisor
from labeling.web.errors import ActionError

DEFAULT_BIND = "127.0.0.1:8000"
HEAVY_NICE = 10
_WORKER = ("celery", "--quiet", "-A", "labeling.conf", "worker", "-P", "threads", "-c", "1")
_QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING")


class Command(BaseCommand):
    """Serves the site: web, a light and a heavy worker, restarted when they die, stopped together."""

    help = "Serve the site on this machine: web and workers, supervised. Ctrl-C stops everything."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--bind` and `--workers`."""
        parser.add_argument("--bind", default=DEFAULT_BIND, metavar="HOST:PORT", help="where to listen")
        parser.add_argument("--workers", type=int, default=1, metavar="N", help="web processes (1-32)")
        help_text = "serve the demo's practice language model (a fake) at this port of the loopback, too"
        parser.add_argument("--practice-port", type=int, metavar="PORT", help=help_text)

    def handle(
        self, *_args: object, bind: str, workers: int, practice_port: int | None = None, **_options: object
    ) -> None:
        """Check, prepare, supervise until SIGINT or SIGTERM."""
        try:
            self._serve(bind, max(1, min(32, workers)), practice_port)
        except ActionError as error:
            raise CommandError(error.message) from error
        except OperationalError as error:
            raise CommandError(_("The database cannot be used: %(reason)s") % {"reason": error}) from error

    def _serve(self, bind: str, web_count: int, practice_port: int | None) -> None:
        host, port = parse_bind(bind)
        check_bind(host)
        if practice_port is not None:
            check_free(practice_port)
        address = site_address(host, port)
        with only_one(Path(settings.DATA), address), open_socket(host, port) as listener:
            self._prepare()
            self._greet(address)
            connections.close_all()
            beside = [] if practice_port is None else [practice_server(practice_port)]
            Supervisor([*beside, *child_specs(listener.fileno(), web_count)], Path(settings.BASE_DIR), self._say).run()
        self.stdout.write(_("Stopped."))

    def _prepare(self) -> None:
        if migrate():
            self.stdout.write(_("The database is up to date."))
        if collect_static():
            self.stdout.write(_("The static files are in place."))

    def _greet(self, address: str) -> None:
        self.stdout.write(self.style.SUCCESS(_("AutoAnnotator is at %(address)s") % {"address": address}))
        path = first_signin_path()
        if path:
            self.stdout.write(_("Sign in once with this link:"))
            self.stdout.write(self.style.SUCCESS(f"  {address}{path}"))
        self.stdout.write(_("Ctrl-C stops everything."))
        self.stdout.flush()

    def _say(self, name: str, line: str) -> None:
        self.stdout.write(f"{name:>5} | {line}")
        self.stdout.flush()


def child_specs(listener: int, web_count: int) -> list[ChildSpec]:
    """The web processes on the listening socket, the light worker and the heavy one, which gives way to all others."""
    serve = ("labeling.pipeline.serve", str(listener))
    names = ["web"] if web_count == 1 else [f"web{number}" for number in range(1, web_count + 1)]
    threads = str(max(1, (psutil.cpu_count() or 1) - 1))
    return [
        *(ChildSpec(name, serve, pass_fds=(listener,)) for name in names),
        ChildSpec("light", (*_WORKER, "-Q", "io,verify", "-n", "light@%h", *_QUIET)),
        ChildSpec(
            "heavy",
            (*_WORKER, "-Q", "consensus,refine", "-n", "heavy@%h", *_QUIET),
            nice=HEAVY_NICE,
            env=(("OMP_NUM_THREADS", threads),),
        ),
    ]
