"""Exit statuses where standard streams are closed, full, or without a reader: never the interpreter's own 120."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from annotator_core.cli import outputs
from tests.annotator_core.cli.files import write_csv

# What is written at once cannot be left over for the end.
ENGINE = ["env", "-u", "PYTHONUNBUFFERED", sys.executable, "-m", "annotator_core"]
POOL = ["--classes=negative,neutral,positive", "--allow-fake"]
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def source(tmp_path: Path) -> str:
    texts = [f"text {number}" for number in range(30)]
    columns = {"label": ["yes"] * 30, "confidence": ["0.9"] * 30, "gold": ["yes"] * 30}
    return str(write_csv(tmp_path / "in.csv", texts, **columns))


@pytest.fixture
def commands(source: str, pool: list[str]) -> dict[str, list[str]]:
    named = [source, "--text-column=text"]
    return {
        "help": ["--help"],
        "certify": ["certify", *named, "--gold-column=gold"],
        "pilot": ["pilot", *named, *POOL, f"--specialist={pool[0]}"],
        "bench": ["bench", *named, *POOL, f"--specialist={pool[0]}", "--rows=5"],
        "label": ["label", *named, *POOL, f"--specialist={pool[0]}", "--out=-"],
        "budget": ["label", *named, *POOL, f"--specialist={pool[0]}", "--out=-", "--budget=10"],
    }


def _run(command: list[str], redirected: str) -> Done:
    line = ["sh", "-c", f'exec "$@" {redirected}', "sh", *ENGINE, *command]
    return subprocess.run(line, capture_output=True, text=True, check=False)


NAMES = ["help", "certify", "pilot", "bench", "label", "budget"]


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_at_standard_output_is_a_problem(commands: dict[str, list[str]], name: str) -> None:
    done = _run(commands[name], ">/dev/full")
    told = "error: Standard output has no room left (No space left on device): free some space and try again.\n"
    assert (done.returncode, done.stderr) == (1, told)


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_that_is_gone_is_told_by_the_status_alone(commands: dict[str, list[str]], name: str) -> None:
    with subprocess.Popen([*ENGINE, *commands[name]], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        told = running.stderr.read()
    assert (running.returncode, told) == (141, b"")


@pytest.mark.parametrize("name", ["certify", "pilot", "label"])
def test_a_closed_standard_output_is_named(commands: dict[str, list[str]], name: str) -> None:
    done = _run(commands[name], ">&-")
    told = "error: Standard output is closed: name a file, or send the output to one with >.\n"
    assert (done.returncode, done.stderr) == (1, told)


def test_a_closed_standard_output_is_named_before_a_file_is_read(commands: dict[str, list[str]]) -> None:
    done = _run([*commands["budget"], "--text-column=gone"], ">&-")
    assert "Standard output is closed" in done.stderr


def test_a_closed_standard_input_is_named(commands: dict[str, list[str]]) -> None:
    done = _run(["certify", "-", "--text-column=text", "--gold-column=gold"], "<&-")
    told = "error: Standard input is closed: name a file, or send a table in with |.\n"
    assert (done.returncode, done.stderr) == (1, told)


def test_streams_that_are_not_needed_may_be_closed(commands: dict[str, list[str]], tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    done = _run([*commands["label"][:-1], "--out", str(out)], "<&- >&- 2>&-")
    assert (done.returncode, done.stderr, len(out.read_text().splitlines())) == (0, "", 31)


def test_a_pipe_under_a_name_goes_in_like_a_file(commands: dict[str, list[str]], source: str) -> None:
    line = f"cat {source} | {sys.executable} -m annotator_core certify /dev/stdin --text-column text --gold-column gold"
    piped = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert (piped.returncode, piped.stdout) == (3, _run(commands["certify"], "").stdout)


@pytest.mark.parametrize(
    "work",
    [
        "from annotator_core.cli.journal import Journal as Kept; kept = Kept(path, 'part', {})",
        "from annotator_core.cli.answers import AnswerFile as Kept; kept = Kept(path, None, is_kept=True)",
    ],
)
def test_a_full_disk_is_told_as_such_by_what_closes_behind_it(tmp_path: Path, work: str) -> None:
    opened = f"import sys, pathlib; path = pathlib.Path(sys.argv[1]); {work}"
    code = f"{opened}\nwith kept:\n    kept._write({{'x': 'x' * 5000}})"
    command = [sys.executable, "-c", code, str(tmp_path / "out.csv")]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, check=False)
    assert done.stderr.splitlines()[-1].startswith("annotator_core.errors.StoreFull: The file ")


def test_every_figure_goes_out_through_what_sees_it_arrive() -> None:
    folder = Path(outputs.__file__).parent
    assert [path.name for path in sorted(folder.glob("*.py")) if "sys.stdout" in path.read_text()] == ["outputs.py"]


@pytest.mark.parametrize("name", ["help", "certify", "label"])
def test_scipy_is_imported_by_who_needs_it_alone(commands: dict[str, list[str]], name: str) -> None:
    code = (
        "import sys\nfrom annotator_core.__main__ import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(f\"\\n{'scipy' in sys.modules}\")"
    )
    done = subprocess.run([sys.executable, "-c", code, *commands[name]], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == str(name == "certify")
