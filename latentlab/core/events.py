"""What happened in a run besides steps: settings changed, checkpoints, pauses; from ``events.jsonl`` or told live."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentlab.core.run_folder import CHECKPOINTS, EVENTS

MARKED = ("change", "checkpoint", "resume", "solved", "warning", "failure")
"""Kinds that are drawn on the plots."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One event. ``text`` says it in a few words, e.g. ``objective.beta_step 0.1 → 0.3``."""

    step: int
    kind: str
    text: str

    @classmethod
    def of(cls, kind: str, step: int, facts: Mapping[str, Any]) -> RunEvent:
        """Describe an event by its facts, as ``events.jsonl`` has them."""
        if kind == "change":
            text = f"{facts.get('key')} {_short(facts.get('old'))} → {_short(facts.get('new'))}"
        elif kind in ("warning", "failure"):
            text = str(facts.get("what", kind))
        elif kind == "pause":
            text = f"paused for {_short(facts.get('paused_s'))} s"
        elif kind == "solved":
            nats, psnr = _number(facts, "nats", ".0f"), _number(facts, "psnr", ".2f")
            text = f"Principal path: {nats} nats, {psnr} dB, the optimum at β {_number(facts, 'beta', '.3g')}"
        else:
            text = {"resume": "resumed", "checkpoint": "checkpoint"}.get(kind, kind)
        return cls(step, kind, text)


def _number(facts: Mapping[str, Any], name: str, how: str) -> str:
    value = facts.get(name)
    return format(value, how) if isinstance(value, int | float) else "?"


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)


class EventLog:
    """The events of one run, oldest first. Thread: any; the trainer adds, the window polls ``version``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[RunEvent] = []
        self.version = 0

    def add(self, *events: RunEvent) -> None:
        """Add events in the order in which they happened."""
        with self._lock:
            self._events += events
            self.version += 1

    def replace(self, events: list[RunEvent]) -> None:
        """Hold these events and no others; the version grows if they differ."""
        with self._lock:
            if events != self._events:
                self._events = list(events)
                self.version += 1

    def clear(self) -> None:
        """Forget everything; the version grows."""
        with self._lock:
            self._events = []
            self.version += 1

    def marked(self) -> list[RunEvent]:
        """Return the events that are drawn on plots, by step."""
        with self._lock:
            return sorted((e for e in self._events if e.kind in MARKED), key=lambda event: event.step)


def read_events(run: Path) -> list[RunEvent]:
    """Return the events of a run on disk, and a ``checkpoint`` for each numbered one that is kept, by step.

    A line that is damaged, as the last one may be after a power cut, is passed over.
    """
    found = [RunEvent.of(str(facts["event"]), int(facts["step"]), facts) for facts in _lines(run)]
    try:
        names = [path.name for path in (run / CHECKPOINTS).iterdir() if path.name.startswith("step_")]
    except OSError:
        names = []
    saved = [int(name.removeprefix("step_")) for name in names if name.removeprefix("step_").isdigit()]
    found += [RunEvent(step, "checkpoint", "checkpoint") for step in saved]
    return sorted(found, key=lambda event: event.step)


def read_changes(run: Path) -> dict[str, Any]:
    """Return the newest value of every setting that was changed live in a run on disk."""
    return {str(facts["key"]): facts["new"] for facts in _lines(run) if facts["event"] == "change" and "new" in facts}


def _lines(run: Path) -> list[dict[str, Any]]:
    """Return the facts of each whole line of ``events.jsonl``."""
    try:
        lines = (run / EVENTS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with suppress(ValueError):
            facts = json.loads(line)
            if isinstance(facts, dict) and isinstance(facts.get("step"), int) and "event" in facts:
                found.append(facts)
    return found
