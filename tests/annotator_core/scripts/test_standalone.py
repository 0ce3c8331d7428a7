"""A standalone script, run where the engine cannot be imported, gives the engine's votes, labels and routes."""

import ast
import re
import sys
from dataclasses import replace
from importlib.metadata import requires
from pathlib import Path

import numpy as np
import pytest

from annotator_core.annotation import Block
from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.calibration import Calibrated, Calibration
from annotator_core.consensus.table import fit_aggregator, restore
from annotator_core.demo import CLASSES
from annotator_core.errors import BadInput
from annotator_core.linear.model import write_linear
from annotator_core.loop import Policy, annotate_windows
from annotator_core.scripts.compose import write_script
from annotator_core.scripts.plan import ScriptPlan, ScriptVoter, find_uncarried
from annotator_core.specialists.contract import Identity, Specialist, SpecialistSpec
from annotator_core.specialists.folder import hash_folder
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap
from tests.annotator_core.consensus.made import make_votes
from tests.annotator_core.linear.conftest import BLOCKS, make_model
from tests.annotator_core.scripts.conftest import demo_texts, demo_voters

BROUGHT = {"numpy", "safetensors", "huggingface_hub"}
"""What a script imports beside torch and transformers: votes, weights of linear models, files at a pinned commit."""
PLAN = ScriptPlan("Run 1 of Demo", CLASSES, demo_voters(), min_agree=3)


def _load(voter: ScriptVoter) -> Specialist:
    spec = SpecialistSpec(Path(voter.folder), voter.label_map, len(CLASSES), voter.max_length, Identity(voter.name))
    return load_specialist(voter.backend, spec)


def _run_engine(plan: ScriptPlan, texts: list[str], policy: Policy, verdicts: dict[str, str] | None = None) -> Block:
    known = verdicts or {}

    def verify(asked):
        return [CLASSES.index(known[text]) if text in known else ABSTAIN for text in asked]

    pool = [_load(voter) for voter in plan.voters]
    (block,) = annotate_windows([texts], pool, verify if verdicts else None, policy)
    return block


def _facts(block: Block) -> list[tuple[str, str, str]]:
    names = [*CLASSES, ""]
    columns = [
        [f"{name}={CLASSES[vote]}" if vote >= 0 else f"{name}=abstain" for vote in block.votes[:, place].tolist()]
        for place, name in enumerate(block.ballot.names)
    ]
    votes = ["; ".join(row) for row in zip(*columns, strict=True)]
    return list(zip([names[one] for one in block.labels], map(str, block.list_routes()), votes, strict=True))


def _told(rows: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    votes = ["; ".join(one.partition("@")[0] for one in row["votes"].split("; ")) for row in rows]
    return [(row["label"], row["route"], vote) for row, vote in zip(rows, votes, strict=True)]


def test_the_script_runs_where_the_engine_is_not(program):
    assert program.start("-c", "import annotator_core").returncode == 1
    assert program.start("-c", "import torch, transformers").returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_votes_labels_routes_and_verdicts_are_the_engines(program):
    texts = demo_texts(120)
    before = _run_engine(PLAN, texts, Policy(min_agree=3))
    hard = [texts[row] for row in np.flatnonzero(before.is_hard)]
    verdicts = dict.fromkeys(hard[::2], "neutral")
    block = _run_engine(PLAN, texts, Policy(min_agree=3), verdicts)
    rows = program.run(PLAN, texts, verdicts=list(verdicts.items()))
    assert _told(rows) == _facts(block)
    assert {row["route"] for row in rows} == {"accept", "review", "verify"}
    assert [float(row["uncertainty"]) for row in rows] == pytest.approx(block.uncertainty, abs=1e-6)
    confidence = [float(row["confidence"] or "nan") for row in rows]
    assert confidence == pytest.approx(block.confidence, abs=1e-5, nan_ok=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_budget_a_fitted_aggregator_and_a_linear_specialist_are_the_engines(program, tmp_path):
    folder = write_linear(make_model(BLOCKS), tmp_path / "linear")
    linear = ScriptVoter(
        "linear", "linear", hash_folder(folder), LabelMap(CLASSES, (0, ABSTAIN, 2)), folder=str(folder)
    )
    fitted = fit_aggregator("stacker", *make_votes(300, m=3, seed=2))
    plan = replace(PLAN, voters=(*PLAN.voters[:2], linear), aggregation=fitted.to_state(), budget=0.2)
    texts = demo_texts(80)
    block = _run_engine(plan, texts, Policy(aggregation=fitted, budget=0.2))
    assert _told(program.run(plan, texts)) == _facts(block)


def test_other_files_than_the_pinned_ones_are_refused(program):
    plan = replace(PLAN, voters=(replace(PLAN.voters[0], content_hash="0" * 64),))
    with pytest.raises(AssertionError, match=r"courier: the files in .* are not the pinned ones"):
        program.run(replace(plan, min_agree=1), ["fine"])


def test_the_same_plan_gives_the_same_script_and_a_hostile_name_ends_nothing():
    assert write_script(PLAN) == write_script(PLAN)
    name = 'x"""\nimport os; os.abort()\n\\'
    hostile = replace(PLAN, title=name, classes=(name, "b", "c"), voters=(replace(PLAN.voters[0], name=name),))
    compiled = compile(write_script(hostile, name), "run.py", "exec")
    assert "os" not in compiled.co_names


def test_what_a_script_cannot_carry_is_said():
    plan = replace(PLAN, voters=(*PLAN.voters[:1], replace(PLAN.voters[1], backend="fake")))
    assert find_uncarried(plan) == ["checkout"]
    with pytest.raises(BadInput, match="cannot run checkout"):
        write_script(plan)


@pytest.mark.parametrize("given", [{"voters": ()}, {"budget": 0.1, "threshold": 0.5}])
def test_a_plan_that_cannot_be_is_refused(given):
    with pytest.raises(BadInput):
        replace(PLAN, **given)


def test_a_restored_calibration_is_carried_as_numbers():
    inner = fit_aggregator("naive_bayes", *make_votes(100, seed=3))
    state = Calibrated(inner, Calibration("temperature", 1.5, np.empty((2, 0)))).to_state()
    assert restore(state).predict(Ballots.from_votes(np.array([[0, 1, 2]]), 3)).shape == (1, 3)
    assert "'temperature': 1.5" in write_script(replace(PLAN, aggregation=state))


def _list_imports(source: str) -> set[str]:
    """The packages that a script imports, at its top or inside a function."""
    nodes = list(ast.walk(ast.parse(source)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    assert [node.lineno for node in named if node.level] == []
    return {name.partition(".")[0] for name in plain | {str(node.module) for node in named}}


def test_it_imports_nothing_but_torch_transformers_and_what_they_bring(tmp_path):
    """The parts for every kind of specialist are in every script, so that one script shows all imports."""
    folder = write_linear(make_model(BLOCKS), tmp_path / "linear")
    labels = LabelMap(CLASSES, (0, ABSTAIN, 2))
    linear = ScriptVoter("linear", "linear", hash_folder(folder), labels, folder=str(folder))
    fitted = fit_aggregator("stacker", *make_votes(100, seed=2))
    plans = (PLAN, replace(PLAN, voters=(*PLAN.voters[:2], linear), aggregation=fitted.to_state(), budget=0.2))
    for source in map(write_script, plans):
        assert _list_imports(source) - sys.stdlib_module_names == {"torch", "transformers"} | BROUGHT
        assert not _list_imports(source) & {"importlib", "imp", "runpy", "subprocess", "pickle", "ctypes"}
        assert not {"__import__", "exec", "eval"} & _list_names(source)


def _list_names(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def test_who_installs_transformers_has_the_rest():
    lines = [line for line in requires("transformers") or [] if "extra ==" not in line]
    assert {re.split(r"[^\w-]", line)[0].replace("-", "_") for line in lines} >= BROUGHT


def test_no_two_parts_name_the_same():
    """Joined into one file, the later would take the place of the earlier."""
    names = [
        node.name for node in ast.parse(write_script(PLAN)).body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    assert sorted(names) == sorted(set(names))
