"""Options that the stage commands share, and what they all start from."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mrd.core.batches import assign_batches
from mrd.core.errors import SettingsError
from mrd.core.settings import Settings
from mrd.files.lock import with_lock
from mrd.files.settings import read_settings
from mrd.files.sheet import read_samples


@dataclass(frozen=True)
class Run:
    """Settings, sample sheet and results folder of a run."""

    settings: Settings
    samples: pd.DataFrame
    results: Path

    def batch(self, name: str) -> pd.DataFrame:
        """Tubes of a batch, in sheet order.

        Raises
        ------
        SettingsError
            There is no such batch.
        """
        batches = batches_of(self.samples, self.settings)
        if name not in batches:
            raise SettingsError(f"there is no batch {name}", where="--batch", fix=f"there are {', '.join(batches)}")
        return self.samples[self.samples["subject"].isin(batches[name])]


def batches_of(samples: pd.DataFrame, settings: Settings) -> dict[str, list[str]]:
    """Batches of the controls (c001, ...) and of the patients (s001, ...): a patient's tube never disturbs a reference."""
    control = samples["role"].eq("control")
    parts = {"c": samples.loc[control, "subject"], "s": samples.loc[~control, "subject"]}
    return {
        f"{k}{n[1:]}": names for k, part in parts.items() for n, names in assign_batches(list(part), settings.batch_tubes).items()
    }


def add_run_options(parser: argparse.ArgumentParser, *, batch: bool = False) -> None:
    """Declare `--settings` and, for commands that take one, `--batch`."""
    parser.add_argument("--settings", type=Path, required=True, help="settings of the run (YAML)")
    if batch:
        parser.add_argument("--batch", required=True, help="batch of tubes to work on")


def add_threads(parser: argparse.ArgumentParser, work: str) -> None:
    """Declare `--threads`, for a command whose results do not depend on it."""
    parser.add_argument("--threads", type=_threads, default=1, metavar="N", help=f"threads that {work}; results stay the same")


def _threads(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of threads: give 1 or more")
    return int(text)


def start_run(options: argparse.Namespace) -> Run:
    """Read the settings and the sample sheet that the options name."""
    settings = with_lock(read_settings(options.settings))
    samples = read_samples(settings, whole_run=False)
    if settings.drawn_laips:
        from mrd.cli.drawn import check_drawn  # here, since it takes a second and few runs have any

        check_drawn(settings, samples)
    return Run(settings, samples, Path(settings.results))
