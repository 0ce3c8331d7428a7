"""compose.yaml and the Dockerfile against the tree: no image is built here, so what they name must exist."""

import re
import shutil
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docker"
SERVICES = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
OURS = ("prepare", "web", "light", "heavy")
QUEUES = {"io", "verify", "consensus", "refine"}


def _settings_names():
    sources = [*(ROOT / "labeling" / "conf").glob("*.py"), ROOT / "labeling" / "conf" / "settings.py"]
    return {name for path in sources for name in re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", path.read_text())}


def _queues(name):
    command = SERVICES[name]["command"]
    return set(command[command.index("-Q") + 1].split(","))


def _example_names(path):
    return set(re.findall(r"^#?([A-Z_]+)=", path.read_text(), flags=re.MULTILINE))


def test_all_parts_are_there():
    assert set(SERVICES) == {*OURS, "postgres", "redis"}


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_the_settings_read(name):
    assert set(SERVICES[name]["environment"]) - _settings_names() == set()


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS"])
def test_what_must_not_be_guessed_is_required(name):
    assert SERVICES["web"]["environment"][name].startswith(f"${{{name}:?")


def test_web_serves_the_asgi_application():
    program, target, *_ = SERVICES["web"]["command"]
    module, _, name = target.partition(":")
    assert shutil.which(program, path=Path(sys.executable).parent)
    assert callable(getattr(import_module(module), name))


def test_workers_share_all_queues_and_none_twice():
    assert _queues("light") | _queues("heavy") == QUEUES
    assert _queues("light") & _queues("heavy") == set()


@pytest.mark.parametrize("name", ["light", "heavy"])
def test_workers_are_the_celery_app_by_its_name(name):
    assert SERVICES[name]["command"][:6] == ["celery", "-A", "labeling.conf", "worker", "-P", "threads"]


def test_prepare_runs_commands_that_exist():
    commands = re.findall(r"manage\.py (\w+)", SERVICES["prepare"]["command"][-1])
    assert commands == ["migrate", "collectstatic"]
    assert set(commands) - set(get_commands()) == set()


@pytest.mark.parametrize("name", ["web", "light", "heavy", "postgres", "redis"])
def test_every_lasting_service_has_a_health_check(name):
    assert SERVICES[name]["healthcheck"]["retries"] >= 3


def test_services_wait_for_those_that_exist():
    waits = {wait for service in SERVICES.values() for wait in service.get("depends_on", {})}
    assert waits <= set(SERVICES)


def test_compose_reads_only_what_its_example_explains():
    read = set(re.findall(r"\$\{([A-Z_]+)", (FOLDER / "compose.yaml").read_text()))
    assert read == _example_names(FOLDER / ".env.example")


def test_the_example_names_only_what_the_settings_read():
    assert _example_names(ROOT / ".env.example") <= _settings_names()


def test_the_dockerfile_copies_what_is_there():
    lines = re.findall(r"^COPY (?!--from)(.+)$", (FOLDER / "Dockerfile").read_text(), flags=re.MULTILINE)
    sources = [source for line in lines for source in line.split()[:-1]]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_the_dockerignore_lets_through_what_is_copied():
    allowed = {line[1:] for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"}
    lines = re.findall(r"^COPY (?!--from)(.+)$", (FOLDER / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert {source for line in lines for source in line.split()[:-1]} == allowed


def test_the_image_has_the_box_for_scripts():
    """Installed as root, in the stage that is left in the end; `FROM base` without a name."""
    last = (FOLDER / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    as_root = last.partition("\nUSER ")[0]
    installed = re.findall(r"apt-get install ([^&]+)", as_root)
    assert [line.split()[-1] for line in installed] == ["bubblewrap"]


def test_scripts_are_switched_on_where_models_are_loaded_and_nowhere_else():
    """They are tried and vote in the queue `consensus`; nothing else of the service changes."""
    added = yaml.safe_load((FOLDER / "compose.scripts.yaml").read_text())
    (name,) = added["services"]
    assert (set(added), "consensus" in _queues(name)) == ({"services"}, True)
    options = [f"{one}=unconfined" for one in ("seccomp", "apparmor", "systempaths")]
    assert added["services"][name] == {"security_opt": options}
    assert [one for one in SERVICES if {"security_opt", "privileged", "cap_add"} & set(SERVICES[one])] == []


def test_the_image_runs_as_nobody_special_and_holds_no_secret():
    text = (FOLDER / "Dockerfile").read_text()
    assert re.search(r"^USER autoannotator$", text, flags=re.MULTILINE)
    assert not re.search(r"SECRET_KEY|PASSWORD|TOKEN", text)
