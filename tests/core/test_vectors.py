from __future__ import annotations

import json

import numpy as np
import pytest

from latentlab.core.events import EventLog, RunEvent, read_events
from latentlab.core.vectors import MAX_BYTES, Thinning, VectorHistory, chi_density, norm_edges, rows_kept, z_edges


def kept(count: int, most: int) -> list[int]:
    thinning, places = Thinning(most), []
    for step in range(count):
        for place in reversed(thinning.add()):
            del places[place]
        places.append(step)
    return places


@pytest.mark.parametrize("count", [1, 5, 8, 9, 40, 1000])
def test_thinned_rows_are_few_even_and_hold_the_newest(count: int):
    places = kept(count, 8)
    assert len(places) <= 8
    assert places[-1] == count - 1
    assert places[0] == 0
    gaps = np.diff(places[:-1])
    assert len(set(gaps.tolist())) <= 1


def test_wide_vectors_keep_fewer_rows():
    assert rows_kept(16) == 1024
    assert rows_kept(512 * 32) * 512 * 32 * 4 <= MAX_BYTES
    assert rows_kept(10**9) == 16


def test_a_history_hands_out_tables_and_the_nearest_row():
    history = VectorHistory()
    history.extend("kld_dim", [200, 400, 600], [np.full(3, value, dtype=np.float32) for value in (1, 2, 3)])
    steps, rows = history.table("kld_dim")
    assert steps.tolist() == [200, 400, 600]
    assert rows[:, 0].tolist() == [1, 2, 3]
    assert history.at("kld_dim", 290)[0] == 200
    assert history.at("kld_dim")[0] == 600
    assert history.at("nothing") is None
    assert history.table("nothing")[1].size == 0
    history.append(800, {"kld_dim": np.zeros(5, dtype=np.float32)})
    assert history.table("kld_dim")[1].shape == (1, 5)
    version = history.version
    history.clear()
    assert history.names() == []
    assert history.version > version


@pytest.mark.parametrize("dim", [1, 2, 16, 300])
def test_the_density_of_lengths_adds_up_to_one(dim: int):
    edges = norm_edges(dim)
    fine = np.linspace(1e-6, edges[-1], 20001)
    assert np.trapezoid(chi_density(fine, dim), fine) == pytest.approx(1.0, abs=2e-3)
    assert len(z_edges()) == 33


def test_events_are_read_and_said_in_words(tmp_path):
    lines = [
        {"event": "start", "step": 0},
        {"event": "change", "step": 40, "key": "objective.beta_step", "old": 0.1, "new": 0.3},
        {"event": "pause", "step": 50, "paused_s": 2.0},
        {"event": "warning", "step": 60, "what": "small"},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + '\n{"event": "cha'
    (tmp_path / "events.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "checkpoints" / "step_00000045").mkdir(parents=True)
    (tmp_path / "checkpoints" / "last").mkdir()
    events = read_events(tmp_path)
    assert [(event.step, event.kind) for event in events] == [
        (0, "start"),
        (40, "change"),
        (45, "checkpoint"),
        (50, "pause"),
        (60, "warning"),
    ]
    assert events[1].text == "objective.beta_step 0.1 → 0.3"
    log = EventLog()
    log.add(*events)
    assert [event.step for event in log.marked()] == [40, 45, 60]
    version = log.version
    log.replace(list(events))
    assert log.version == version
    log.replace([RunEvent(1, "change", "a")])
    assert log.version == version + 1
    assert read_events(tmp_path / "nowhere") == []
