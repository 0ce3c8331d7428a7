"""The first eight class colours are told apart with any of the three colour blindnesses."""

import re
from pathlib import Path

import numpy as np
import pytest

CSS = Path(__file__).resolve().parents[3] / "static" / "css" / "slots.css"
COLOUR = r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)"
TOLD_APART = 0.12  # distance in OKLab; chosen: six times a just noticeable difference of 0.02
# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear sRGB.
SIGHT = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# OKLab, Ottosson 2020.
LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _slots(theme):
    rows = re.findall(rf"light-dark\({COLOUR}, {COLOUR}\)", CSS.read_text())
    return np.array(rows, dtype=float).reshape(-1, 2, 3)[:, theme]


def _seen(colours, matrix):
    """OKLab (n, 3) of the OKLCH colours as an eye with this matrix sees them."""
    light, chroma, hue = colours.T
    angle = np.radians(hue)
    lab = np.stack([light, chroma * np.cos(angle), chroma * np.sin(angle)], axis=1)
    linear = (lab @ np.linalg.inv(LAB).T) ** 3 @ np.linalg.inv(LMS).T
    return np.cbrt(np.clip(np.clip(linear @ np.array(matrix).T, 0, 1) @ LMS.T, 0, None)) @ LAB.T


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("sight", SIGHT)
def test_first_eight_slots_are_told_apart(theme, sight):
    lab = _seen(_slots(theme)[:8], SIGHT[sight])
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + np.eye(8)
    assert distances.min() >= TOLD_APART


def test_there_are_24_slots():
    assert _slots(0).shape == (24, 3)
    assert re.findall(r"\.class-slot-(\d+)", CSS.read_text()) == [str(slot) for slot in range(24)]
