"""The history of a run's weights: encoder and decoder alone, at steps spread over the whole training."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from torch import Tensor

from latentlab.core.errors import LatentLabError
from latentlab.core.weights_kept import history_file, history_files, is_history_step, most_crowded
from latentlab.models.weights import save_tensors

BYTES_PER_MB = 1_000_000


class WeightsHistory:
    """Keeps weights within a bound on disk. Nothing of it is needed to resume a run.

    Thread: trainer.

    Parameters
    ----------
    run
        The run folder.
    limit_mb
        Room for the files; 0 keeps none.
    """

    def __init__(self, run: Path, limit_mb: int) -> None:
        self._run = run
        self._limit = limit_mb * BYTES_PER_MB

    def wants(self, step: int) -> bool:
        """Whether the weights of ``step`` are to be kept."""
        return self._limit > 0 and is_history_step(step)

    def keep(self, step: int, state: Mapping[str, Tensor]) -> None:
        """Write weights, and remove the most crowded ones while there are more than fit.

        Raises
        ------
        LatentLabError
            If they cannot be written.
        """
        size = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
        if size > self._limit:
            return
        path = history_file(self._run, step)
        try:
            path.parent.mkdir(exist_ok=True)
            save_tensors(path, state)
            self._thin()
        except (OSError, SafetensorError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise LatentLabError(
                f"The weights of step {step} cannot be kept: {reason}",
                where=str(path),
                hint="Free some space, or set training.history_mb to 0, then resume the run.",
            ) from error

    def forget_after(self, step: int) -> None:
        """Remove what a training that was killed wrote after the checkpoint it goes on from."""
        for later, path in history_files(self._run).items():
            if later > step:
                path.unlink(missing_ok=True)

    def _thin(self) -> None:
        files = history_files(self._run)
        sizes = {step: path.stat().st_size for step, path in files.items()}
        while sum(sizes.values()) > self._limit:
            step = most_crowded(list(sizes))
            if step is None:
                break
            with contextlib.suppress(FileNotFoundError):
                files[step].unlink()
            del sizes[step]
