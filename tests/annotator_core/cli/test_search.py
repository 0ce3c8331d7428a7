"""``search`` as a shell calls it, against a fake hub over real HTTP."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotator_core.__main__ import main
from annotator_core.cli.exits import Exit
from annotator_core.demo import feedback_path, specialist_folders
from annotator_core.fakes.hub import FakeHub, HubContent
from annotator_core.fakes.hub_search import Step
from annotator_core.fakes.openai_script import OpenAIScript
from annotator_core.fakes.openai_server import FakeOpenAI

Search = Callable[..., int]
TASK = ["--task=Sentiment of customer feedback", "--classes=negative,neutral,positive", "--text-column=text"]


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    models = {f"acme/sentiment-{name}": folder for name, folder in specialist_folders().items()}
    with FakeHub(HubContent(models, gated=frozenset({"acme/sentiment-checkout"}))) as server:
        yield server


@pytest.fixture
def table(tmp_path: Path) -> Path:
    with feedback_path().open(encoding="utf-8", newline="") as file:
        rows = [row for row, _number in zip(csv.DictReader(file), range(80), strict=False)]
    with (tmp_path / "in.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path / "in.csv"


@pytest.fixture
def search(hub: FakeHub, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Search:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("AUTOANNOTATOR_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return lambda *more: main(["search", str(table), *TASK, *more])


def test_models_are_recommended_with_their_commit_and_map(
    search: Search, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert search("--gold-column=gold", "--candidates=1", "--top=1") == Exit.DONE
    out, err = capsys.readouterr()
    assert "keywords of the task; no language model wrote any" in out
    assert "acme/sentiment-checkout: Gated" in out
    assert "Take acme/sentiment-" in out
    assert "= negative" in out
    assert "Searching http://127.0.0.1" in err
    assert not list((tmp_path / "data" / "hub").glob(".search-*"))


def test_as_json_in_a_process_of_its_own(search: Search, table: Path) -> None:
    command = [sys.executable, "-m", "annotator_core", "search", str(table), *TASK, "--candidates=1", "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["is_recommended"], len(finding["revision"]), finding["accuracy"]["value"]) == (True, 40, None)


def test_a_language_model_helps(search: Search, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(messages: list[dict[str, str]]) -> str:
        asked = messages[-1]["content"]
        return '{"queries": ["nothing-like-it"]}' if '"texts"' in asked else "ok"

    with FakeOpenAI(OpenAIScript(answer)) as server:
        asked = [f"--verifier={server.url}", "--model=fake-model", "--price=1,2", "--max-usd=1"]
        assert search(*asked, "--verifier-allow=127.0.0.1") == Exit.DONE
    out, _err = capsys.readouterr()
    assert "Searched for nothing-like-it (a language model)." in out
    assert "No model that is safe to load was found" in out


def test_a_cap_without_room_ends_before_a_request(search: Search) -> None:
    with FakeOpenAI(OpenAIScript(lambda _messages: "x")) as server:
        asked = [f"--verifier={server.url}", "--model=fake-model", "--price=1,2", "--max-usd=0.0001"]
        assert search(*asked, "--verifier-allow=127.0.0.1") == Exit.CAP_REACHED
        assert server.script.asked == []


def test_a_hub_that_is_busy_is_said(search: Search, hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    hub.content.steps.append(Step("/api/models", status=429, headers={"Retry-After": "60"}))
    assert search() == Exit.PROBLEM
    assert "asks for a pause of 60 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--verifier=http://x"], "go together"),
        (["--price=1,2"], "needs --verifier"),
        (["--verifier=http://x", "--model=m", "--max-usd=1"], "needs --price"),
        (["--rows=0"], "1 or more"),
        (["--task= "], "says nothing"),
        (["--gold-column=no"], "no column"),
    ],
)
def test_what_cannot_be_is_said(
    search: Search, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    assert search(*more) == Exit.PROBLEM
    assert words in capsys.readouterr().err
