"""The precision for a model on this machine."""

import json
from pathlib import Path

import pytest

from annotator_core import precision
from annotator_core.errors import BadModelFolder
from annotator_core.precision import (
    has_bf16,
    measure_gain,
    measure_voting_gain,
    pick_precision,
    pick_voting_precision,
)


def config(folder: Path, **figures: object) -> Path:
    (folder / "config.json").write_text(json.dumps(figures))
    return folder


@pytest.mark.parametrize("figures", [{"hidden_size": 96}, {"dim": 128}, {"d_model": 255}, {}, {"hidden_size": "wide"}])
def test_narrow_models_train_in_fp32(tmp_path: Path, figures: dict[str, object]) -> None:
    assert pick_precision(config(tmp_path, **figures)) == "fp32"


@pytest.mark.parametrize(
    ("able", "gain", "picked"),
    [(True, 2.0, "bf16"), (True, 1.3, "bf16"), (True, 1.2, "fp32"), (False, 9.0, "fp32")],
)
def test_wide_models_train_in_what_is_clearly_faster(tmp_path: Path, monkeypatch, able, gain, picked) -> None:
    # What the machine can do and how fast it is are facts of the machine, set here to each case.
    monkeypatch.setattr(precision, "has_bf16", lambda: able)
    monkeypatch.setattr(precision, "measure_gain", lambda _width: gain)
    assert pick_precision(config(tmp_path, dim=384)) == picked


@pytest.mark.parametrize(
    ("able", "expected"),
    [
        ({"amx_bf16": True}, True),
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": False, "avx2": True}, False),
        ({}, False),
    ],
)
def test_cpu_needs_amx_or_avx512(torch, monkeypatch, able: dict[str, bool], expected: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert has_bf16() is expected


@pytest.mark.parametrize("able", [True, False])
def test_gpu_is_asked_where_there_is_one(torch, monkeypatch, able: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_how: able)
    assert has_bf16() is able


@pytest.mark.parametrize(
    ("figures", "able", "gain", "picked"),
    [
        ({"hidden_size": 255}, True, 9.0, "fp32"),
        ({"hidden_size": 256}, True, 1.3, "bf16"),
        ({"hidden_size": 256}, True, 1.2, "fp32"),
        ({"hidden_size": 256}, False, 9.0, "fp32"),
    ],
)
def test_votes_on_a_cpu_are_in_bf16_only_where_a_probe_gains(
    torch, tmp_path: Path, monkeypatch, figures: dict[str, object], able: bool, gain: float, picked: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": able})
    monkeypatch.setattr(precision, "measure_voting_gain", lambda _width: gain)
    assert pick_voting_precision(config(tmp_path, **figures), "cpu") == picked


@pytest.mark.parametrize(("width", "able", "picked"), [(768, True, "bf16"), (768, False, "fp16"), (96, True, "fp32")])
def test_votes_on_a_gpu_are_in_the_half_precision_that_it_has(
    torch, tmp_path: Path, monkeypatch, width: int, able: bool, picked: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_how: able)
    assert pick_voting_precision(config(tmp_path, dim=width), "cuda") == picked


def test_voting_probe_runs_once_a_process(torch) -> None:
    before = torch.get_rng_state()
    gain = measure_voting_gain(16)
    assert 0.01 < gain < 100
    assert measure_voting_gain(16) == gain
    assert torch.equal(before, torch.get_rng_state())


def test_probe_gives_a_ratio_and_leaves_the_callers_randomness_alone(torch) -> None:
    before = torch.get_rng_state()
    assert 0.01 < measure_gain(16) < 100
    assert torch.equal(before, torch.get_rng_state())


def test_missing_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadModelFolder, match=r"config\.json is not readable"):
        pick_precision(tmp_path)
