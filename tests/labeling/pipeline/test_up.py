import os
import signal
import socket

import psutil
import pytest

from tests.labeling.pipeline.site_process import Site, free_port, manage, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    running = Site(tmp_path_factory.mktemp("site") / "data")
    yield running
    running.stop()


def test_it_answers_with_its_style_sheets(site):
    status, page = site.get("/sign-in")
    assert status == 200
    assert 'href="/static/css/tokens.' in page
    assert site.get("/health/live")[0] == 200


def test_s18_the_first_start_prints_a_one_time_link(site):
    assert site.get(site.signin_path())[0] == 200


@pytest.mark.parametrize("role", ["web", "light", "heavy"])
def test_a_killed_child_comes_back(site, role):
    first = until(lambda: site.child(role))
    first.send_signal(signal.SIGKILL)
    second = until(lambda: (found := site.child(role)) and found != first and found)
    assert second.pid != first.pid
    assert f"{role:>5} | ended (signal 9); starting again in " in site.output()
    assert site.get("/health/live")[0] == 200


def test_requests_wait_for_the_web_process_that_comes_back(site):
    until(lambda: site.child("web")).send_signal(signal.SIGKILL)
    assert site.get("/health/live")[0] == 200


def test_a_second_up_on_the_same_data_is_refused(site):
    refused = manage(site.data, "up", "--bind", f"127.0.0.1:{free_port()}")
    assert refused.returncode == 1
    assert f"is running already: http://127.0.0.1:{site.port}" in refused.stderr


def test_the_commands_know_the_running_address(site):
    link = manage(site.data, "signin-link", "admin").stdout
    assert link.startswith(f"http://127.0.0.1:{site.port}/sign-in/")


def test_a_stop_takes_all_with_it_and_frees_the_port(site, tmp_path):
    running = Site(tmp_path / "data")
    children = running.children()
    until(lambda: running.get("/health/live")[0] == 200)
    assert running.stop() == 0
    assert not any(psutil.pid_exists(child.pid) for child in children)
    assert running.output().rstrip().endswith("Stopped.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", running.port))


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="only Linux tells children that their parent died")
def test_a_killed_up_leaves_no_orphans(tmp_path):
    running = Site(tmp_path / "data", "--workers", "2")
    children = running.children()
    running.process.kill()
    running.process.wait()
    _gone, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = manage(tmp_path / "data", "up", "--bind", f"127.0.0.1:{taken.getsockname()[1]}")
    assert refused.returncode == 1
    assert "is taken by another program" in refused.stderr


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "192.0.2.1:8000", "[::]:8000", "example.org:8000"])
def test_s01_s20_the_network_needs_a_key_and_hosts_of_its_own(tmp_path, bind):
    refused = manage(tmp_path / "data", "up", "--bind", bind)
    assert refused.returncode == 1
    assert "Set SECRET_KEY" in refused.stderr
