"""A run as TensorBoard event files: scalars, pictures, histograms and hyper-parameters."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.run_facts import flat_settings
from latentlab.core.run_folder import METRICS, PREVIEWS
from latentlab.core.vectors import PROBABILITY_BINS
from latentlab.training.metrics_db import ELAPSED, read_latest, read_metrics
from latentlab.training.run_facts import read_run_facts
from latentlab.training.vectors_db import read_vectors

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

SPREADS = ("kld_dim", "mean_dim", "std_dim", "variance_dim")
VERDICTS = ("d_real_hist", "d_recon_hist", "d_fake_hist")


def export_tensorboard(run: Path, folder: Path) -> int:
    """Write event files into ``folder`` and return the number of scalars; ``tensorboard --logdir`` opens it.

    Scalars are float32 there. Wall times are those at which the steps were reached.

    Raises
    ------
    InputError
        If tensorboard is not installed, the run has no metrics, or ``folder`` holds event files already.
    LatentLabError
        If it cannot be written.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise InputError(
            "TensorBoard files need the package tensorboard",
            where="--format tensorboard",
            hint='Install it: pip install "latentlab[tensorboard]".',
        )
    if folder.exists() and (not folder.is_dir() or any(folder.glob("events.out.*"))):
        raise InputError(f"{folder} already holds event files", where="-o", hint="Choose another folder.")
    series = read_metrics(run / METRICS)
    try:
        with warnings.catch_warnings():  # Its own imports are not ours to mend.
            warnings.simplefilter("ignore")
            from torch.utils.tensorboard import SummaryWriter

            writer = SummaryWriter(str(folder))
            try:
                count = _scalars(writer, run, series)
                _pictures(writer, run)
                _histograms(writer, run)
                _settings(writer, run)
            finally:
                writer.close()
    except OSError as error:
        raise LatentLabError(f"The export cannot be written: {error.strerror}", where=str(folder)) from None
    return count


def _scalars(writer: SummaryWriter, run: Path, series: dict[str, Any]) -> int:
    started = read_run_facts(run).started
    known, seconds = series.pop(ELAPSED, (np.empty(0), np.empty(0)))
    count = 0
    for name, (steps, values) in sorted(series.items()):
        times = started + (np.interp(steps, known, seconds) if len(known) else steps)
        for step, value, at in zip(steps.tolist(), values.tolist(), times.tolist(), strict=True):
            writer.add_scalar(name, value, int(step), walltime=at)
        count += len(steps)
    return count


def _pictures(writer: SummaryWriter, run: Path) -> None:
    from PIL import Image

    for sheet in sorted((run / PREVIEWS).glob("step_*_*.png")):
        _, step, kind = sheet.stem.split("_", 2)
        with Image.open(sheet) as image:
            writer.add_image(kind, np.asarray(image.convert("RGB")), int(step), dataformats="HWC")


def _histograms(writer: SummaryWriter, run: Path) -> None:
    vectors = read_vectors(run / METRICS)
    for name in SPREADS:
        for step, row in zip(*vectors.get(name, ((), ())), strict=True):
            writer.add_histogram(name, row, step)
    edges = np.linspace(0.0, 1.0, PROBABILITY_BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    for name in VERDICTS:
        for step, row in zip(*vectors.get(name, ((), ())), strict=True):
            shares = row.astype(np.float64)
            writer.add_histogram_raw(
                name,
                min=0.0,
                max=1.0,
                num=round(float(shares.sum())) or 1,
                sum=float((shares * middles).sum()),
                sum_squares=float((shares * middles**2).sum()),
                bucket_limits=edges[1:].tolist(),
                bucket_counts=shares.tolist(),
                global_step=step,
            )


def _settings(writer: SummaryWriter, run: Path) -> None:
    plain = (bool, int, float, str)
    settings = {
        key: value if isinstance(value, plain) else str(value)
        for key, value in flat_settings(read_run_facts(run).recipe).items()
        if value is not None
    }
    final = {f"final/{name}": value for name, (_, value) in sorted(read_latest(run / METRICS).items())}
    writer.add_hparams(settings, final, run_name=".")
