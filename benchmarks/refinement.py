"""The loop on real data: 6,000 tweets, three differing specialists, a simulated person, the paper's policy and ours.

`python -m benchmarks.refinement --datasets ../shared/data [--jobs 2] [--only paper-1000-1]`. A configuration runs in a
process and a data folder of its own; a finished one is skipped, so that the whole can be stopped and begun again.
`--report` writes docs/benchmarks/refinement.md from what is finished.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scratch_site import ROOT

ROWS = 6_000
WORK = ROOT / ".benchmarks" / "refinement"
KEPT = ROOT / "docs" / "benchmarks" / "refinement"
POOLS = {
    "main-job": ("tweets-a", "tweets-b", "airline"),
    "mixed": ("tweets-a", "airline", "reviews"),
    "demo": ("courier", "checkout", "overall"),
}
POOL = "mixed"
SPECIALISTS = ROOT / ".benchmarks" / "specialists"
KEY = re.compile(r"(paper|ours)-(\d+)-(\d+)(?:-b([\d.]+))?(?:-p([\d.]+))?")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """One run. `budget`: percent of rows that people review, None for any disagreement; `right`: 0 to 1, the person."""

    policy: str
    beta: int
    seed: int
    budget: float | None = None
    right: float = 1.0

    @property
    def key(self) -> str:
        """Its name, as in paper-1000-1, ours-1000-1-b30 or paper-1000-1-p90."""
        budget = "" if self.budget is None else f"-b{self.budget:g}"
        person = "" if self.right == 1.0 else f"-p{100 * self.right:g}"
        return f"{self.policy}-{self.beta}-{self.seed}{budget}{person}"


@dataclass(frozen=True, slots=True)
class Setting:
    """What all configurations share: how many rows, and which specialists vote."""

    rows: int
    pool: str

    @property
    def is_full(self) -> bool:
        """Whether this is the benchmark itself and no trial of it."""
        return self.rows == ROWS and self.pool == POOL

    @property
    def home(self) -> Path:
        """The folder of base, sites and results."""
        return WORK / f"{self.rows}-{self.pool}"

    def result(self, key: str) -> Path:
        """Where a finished configuration's figures stand."""
        return self.home / f"{key}.json"

    def is_finished(self, key: str) -> bool:
        """Whether the configuration was measured before, here or by whoever keeps the figures in git."""
        kept = KEPT / f"{key}.json"
        is_kept = self.is_full and kept.exists() and json.loads(kept.read_text(encoding="utf-8"))["pool"] == self.pool
        return self.result(key).exists() or is_kept


def parse_key(key: str) -> Configuration:
    """The configuration of that name. Raises ValueError."""
    found = KEY.fullmatch(key)
    if found is None:
        raise ValueError(f"no configuration {key!r}: write POLICY-BETA-SEED[-bBUDGET][-pRIGHT], as in paper-1000-1")
    policy, beta, seed, budget, right = found.groups()
    return Configuration(
        policy, int(beta), int(seed), float(budget) if budget else None, float(right) / 100 if right else 1.0
    )


def configurations() -> Iterator[Configuration]:
    """All that the report compares, the most telling first. Ours stops a little before the paper's own end."""
    for seed in (1, 2, 3):
        yield Configuration("paper", 1_000, seed)
        yield Configuration("ours", 1_000, seed, 33.0)
    for beta, budget in ((500, 32.0), (2_000, 37.0)):
        yield Configuration("paper", beta, 1)
        yield Configuration("ours", beta, 1, budget)
    yield Configuration("paper", 1_000, 1, right=0.9)
    yield Configuration("ours", 1_000, 1, 33.0, right=0.9)


def run_all(setting: Setting, datasets: Path, wanted: Sequence[str], jobs: int) -> None:
    """Measure what is not finished, `jobs` at a time. Raises SystemExit when one fails; the others go on."""
    missing = [key for key in wanted if not setting.is_finished(key)]
    print(f"{len(wanted) - len(missing)} finished before, to do: {', '.join(missing) or '-'}", flush=True)
    if not missing:
        return
    if setting.pool != "demo" and not all((SPECIALISTS / f"{name}.json").exists() for name in POOLS[setting.pool]):
        train_specialists(datasets)
    if _part(setting, datasets, "base"):
        raise SystemExit("The base of all configurations could not be built.")
    with ThreadPoolExecutor(jobs) as pool:
        statuses = list(pool.map(lambda key: _part(setting, datasets, key), missing))
    failed = [key for key, status in zip(missing, statuses, strict=True) if status]
    if failed:
        raise SystemExit(f"Failed: {', '.join(failed)}. Their logs stand in {setting.home}.")


def _part(setting: Setting, datasets: Path, name: str) -> int:
    """Build the base or run one configuration in a process of its own, on one thread; its exit status."""
    setting.home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.refinement_site", name, str(setting.rows), setting.pool, str(datasets)]
    with (setting.home / f"{name}.log").open("wb") as log:
        print(f"{name}: started", flush=True)
        done = subprocess.run(command, cwd=ROOT, env=os.environ | ONE_THREAD, stdout=log, stderr=log, check=False)
    print(f"{name}: {'finished' if done.returncode == 0 else 'FAILED, see ' + log.name}", flush=True)
    return done.returncode


def train_specialists(datasets: Path) -> None:
    """Train the specialists that are not there yet."""
    train = [sys.executable, "-m", "benchmarks.train_specialists", "--skip-measure"]
    subprocess.run([*train, "--datasets", str(datasets), "--out", str(SPECIALISTS)], cwd=ROOT, check=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is missing, then write the report."""
    home = Path(os.environ.get("AUTOANNOTATOR_DATASETS", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=Path, default=home)
    parser.add_argument("--rows", type=int, default=ROWS, help=f"fewer than {ROWS:,} for a trial of the benchmark")
    parser.add_argument("--pool", choices=POOLS, default=POOL, help="mixed: reviews in the place of tweets-b")
    parser.add_argument("--only", action="append", metavar="KEY", help="run this configuration alone; may be repeated")
    parser.add_argument("--jobs", type=int, default=1, help="configurations at a time, one core each")
    parser.add_argument("--report", action="store_true", help="write the report of what is finished, run nothing")
    options = parser.parse_args(arguments)
    setting = Setting(options.rows, options.pool)
    wanted = [parse_key(key).key for key in options.only or ()] or [each.key for each in configurations()]
    if not options.report:
        run_all(setting, options.datasets, wanted, options.jobs)
    from benchmarks.refinement_report import report

    report(setting)


if __name__ == "__main__":
    main()
