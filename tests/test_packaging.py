"""What `pip install .` gives: the engine alone, which imports only what it names; and that the lock has all of it."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CORE = ROOT / "annotator_core"
ENGINE = sorted(path for path in CORE.rglob("*.py") if not path.is_relative_to(CORE / "demo"))
USE_ALL = """
import importlib, pkgutil, sys
import annotator_core
for found in pkgutil.walk_packages(annotator_core.__path__, "annotator_core."):
    importlib.import_module(found.name)
from annotator_core.scripts.kinds import Kind
from annotator_core.scripts.writing import write_template
assert all(write_template(kind) for kind in Kind)
print(annotator_core.__file__, *(name for name in ("django", "labeling") if name in sys.modules))
"""


def _names(requirements):
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def _imported():
    """The distributions that the engine names in an import, at the head of a module or inside a function."""
    known, found = packages_distributions(), {}
    for path in ENGINE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else names
            for module in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"annotator_core"}:
                found[canonicalize_name(known[module][0])] = path.relative_to(ROOT).as_posix()
    return found


def test_the_engine_names_what_it_imports_and_nothing_else():
    declared, imported = _names(PROJECT["dependencies"]), _imported()
    assert {name: path for name, path in imported.items() if name not in declared} == {}
    assert declared - set(imported) == set()


def test_the_engine_and_the_site_share_no_line_and_the_lock_has_both():
    site = PROJECT["optional-dependencies"]["site"]
    assert _names(PROJECT["dependencies"]) & _names(site) == set()
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    locked = {canonicalize_name(name): version for name, version in pins.items()}
    wanted = [Requirement(line) for line in (*PROJECT["dependencies"], *site)]
    assert [str(one) for one in wanted if locked.get(canonicalize_name(one.name)) not in one.specifier] == []


def test_the_lock_is_made_of_both():
    spec = importlib.util.spec_from_file_location("lock", ROOT / "scripts" / "lock.py")
    lock = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lock)
    wanted, dev = lock.read_ranges()
    assert wanted == [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["site"]]
    assert dev == PROJECT["optional-dependencies"]["dev"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built of a copy by the setuptools of the lock: nothing is downloaded."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("annotator_core", "labeling", "scripts"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = f"from setuptools import build_meta; build_meta.build_wheel({str(out)!r})"
    # What setuptools warns of, it will refuse one day.
    subprocess.run([sys.executable, "-W", "error", "-c", build], cwd=copy, check=True, capture_output=True, text=True)
    (path,) = out.glob("*.whl")
    return path


def test_the_wheel_holds_the_engine_without_the_demo(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        (place,) = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        metadata = archive.read(f"{place}/METADATA").decode()
        scripts = archive.read(f"{place}/entry_points.txt").decode()
    assert held == {path.relative_to(ROOT).as_posix() for path in ENGINE}
    assert "annotator-core = annotator_core.__main__:main" in scripts
    plain = re.findall(r"^Requires-Dist: ([^;\n]+)$", metadata, re.MULTILINE)
    assert _names(plain) == _names(PROJECT["dependencies"])


def test_what_is_in_the_wheel_works_by_itself(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    # Isolated from the clone: neither its folder nor a variable puts it on the path.
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
    done = subprocess.run(
        [sys.executable, "-I", "-c", start + f"exec({USE_ALL!r})"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.split()) == (0, [str(tmp_path / "annotator_core" / "__init__.py")]), (
        done.stderr
    )
    asked = start + "from annotator_core.__main__ import main; sys.exit(main(['label', '--help']))"
    told = subprocess.run([sys.executable, "-I", "-c", asked], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "python -m annotator_core label" in told.stdout
