"""Where a sweep stands, as its runner tells it to the command line and to the window."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ACTIVE = ("running", "waiting", "stopped")


@dataclass(frozen=True, slots=True)
class RunState:
    """One run: ``state`` is waiting, running, stopped (to be resumed), finished or failed."""

    name: str
    label: str
    state: str
    step: int = 0
    steps: int = 0
    elapsed_s: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SweepState:
    """All runs of a sweep at one moment. ``over``: nothing is left to do, or what is left has failed."""

    title: str
    folder: Path
    runs: tuple[RunState, ...]
    jobs: int = 1
    paused: bool = False
    over: bool = False

    def count(self, state: str) -> int:
        """Return how many runs are in a state."""
        return sum(run.state == state for run in self.runs)

    @property
    def done_share(self) -> float:
        """Share of all steps that are done, 0 to 1."""
        steps = sum(run.steps for run in self.runs)
        return sum(min(run.step, run.steps) for run in self.runs) / steps if steps else 0.0

    @property
    def remaining_s(self) -> float | None:
        """Seconds left at the average speed of the runs so far, ``jobs`` at a time; None before the first step."""
        steps, seconds = sum(run.step for run in self.runs), sum(run.elapsed_s for run in self.runs)
        if not steps or not seconds:
            return None
        rest = sum(max(0, run.steps - run.step) for run in self.runs if run.state in ACTIVE)
        longest = max((run.steps - run.step for run in self.runs if run.state in ACTIVE), default=0)
        return max(rest / self.jobs, longest) * seconds / steps

    def as_dict(self) -> dict[str, Any]:
        """Return the state under the names that ``--json`` prints."""
        return {
            "sweep": str(self.folder),
            "title": self.title,
            "runs": [asdict(run) | {"run": str(self.folder / run.name)} for run in self.runs],
            **{state: self.count(state) for state in ("finished", "failed", "stopped", "waiting")},
        }
