from __future__ import annotations

import json
import math

import numpy as np
import pytest

from latentlab.core.directions import FILE, Direction, delete_direction, read_directions, save_direction
from latentlab.core.errors import InputError
from latentlab.core.video_curves import robust_top, summarise, worst_frames
from latentlab.core.video_edit import EditedFilm


def test_an_edit_survives_json_and_can_be_a_key():
    edit = EditedFilm("median", 9, (0.5, -1.25), -1.5, "PC 1")
    back = EditedFilm.from_json(json.loads(json.dumps(edit.to_json())))
    assert back == edit
    assert {edit: 1}[back] == 1
    assert np.allclose(edit.shift, [-0.75, 1.875])


@pytest.mark.parametrize(
    ("edit", "active", "radius"),
    [
        (EditedFilm(), False, 0),
        (EditedFilm("gaussian", 1), False, 0),
        (EditedFilm("gaussian", 7), True, 3),
        (EditedFilm("none", 7), False, 0),
        (EditedFilm(direction=(0.0, 0.0), strength=2.0), False, 0),
        (EditedFilm(direction=(0.0, 1.0), strength=0.0), False, 0),
        (EditedFilm(direction=(0.0, 1.0), strength=0.1), True, 0),
    ],
)
def test_whether_an_edit_changes_anything(edit, active, radius):
    assert (edit.active, edit.radius) == (active, radius)
    assert (edit.describe() == "not edited") is not active


@pytest.mark.parametrize(
    "value",
    [
        {"smoothing": "mean"},
        {"window": 4},
        {"window": 99},
        {"strength": math.nan},
        {"direction": ["a"]},
        {"direction": [math.inf]},
        {"other": 1},
        [],
        None,
        {"window": {}},
    ],
)
def test_what_describes_no_edit_is_refused(value):
    with pytest.raises(InputError):
        EditedFilm.from_json(value)


def test_directions_are_kept_with_the_run_by_name(tmp_path):
    assert read_directions(tmp_path) == []
    first, second = Direction("jump", (1.0, 0.0)), Direction("ink", (0.0, 2.0))
    save_direction(tmp_path, first)
    save_direction(tmp_path, second)
    save_direction(tmp_path, Direction("jump", (3.0, 4.0)))
    kept = read_directions(tmp_path)
    assert [direction.name for direction in kept] == ["ink", "jump"]
    assert np.allclose(kept[1].unit(), [0.6, 0.8])
    assert read_directions(tmp_path, dim=3) == []
    assert [direction.name for direction in delete_direction(tmp_path, "ink")] == ["jump"]
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"directions": [{"name": "a", "vector": "b"}]}', '{"directions": 3}']
)
def test_a_damaged_file_of_directions_is_told_and_never_overwritten(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InputError, match="damaged"):
        read_directions(tmp_path)
    with pytest.raises(InputError, match="damaged"):
        save_direction(tmp_path, Direction("a", (1.0,)))
    assert (tmp_path / FILE).read_text() == text


@pytest.mark.parametrize(
    ("name", "vector"), [("", (1.0,)), ("a", (0.0, 0.0)), ("a", ()), ("a", (math.nan,)), ("a" * 99, (1.0,))]
)
def test_a_direction_needs_a_name_and_somewhere_to_lead(name, vector):
    with pytest.raises(InputError):
        Direction(name, vector)


def peaks_by_definition(values, count, apart):
    """Go through all frames: one is a peak if no known frame less than `apart` away is higher, the first of equals."""
    known = [i for i in range(len(values)) if not math.isnan(values[i])]
    peaks = [i for i in known if all(values[j] <= values[i] for j in known if abs(j - i) < apart)]
    chosen = []
    for i in sorted(peaks, key=lambda i: (-values[i], i)):
        if all(abs(i - j) >= apart for j in chosen):
            chosen.append(i)
    return chosen[:count]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("apart", [1, 2, 7, 400])
def test_worst_frames_are_the_peaks_that_the_definition_names(seed, apart):
    rng = np.random.default_rng(seed)
    values = np.round(rng.gamma(2.0, size=150).cumsum() % 5, 1 if seed % 2 else 5).astype(np.float32)
    values[rng.random(150) < 0.3] = np.nan
    assert worst_frames(values, 8, apart) == peaks_by_definition(values.tolist(), 8, apart)


def test_the_slope_beside_a_peak_is_no_worst_frame():
    values = np.maximum(0, 10 - np.abs(np.arange(100) - 40)).astype(np.float32)  # one mountain
    values[90] = 2.0
    assert worst_frames(values, 5, 3)[:2] == [40, 90]
    assert not {37, 43} & set(worst_frames(values, 5, 3))


def test_nothing_known_has_no_worst_frame_and_no_summary():
    unknown = np.full(9, np.nan, dtype=np.float32)
    assert worst_frames(unknown, 3, 2) == []
    assert worst_frames(np.empty(0, dtype=np.float32), 3, 2) == []
    assert summarise(unknown) is None
    assert robust_top(unknown) == 1.0


def test_the_summary_counts_known_values_only():
    values = np.array([np.nan, 3.0, 1.0, 7.0, np.nan, 2.0], dtype=np.float32)
    summary = summarise(values)
    assert (summary.known, summary.median, summary.worst, summary.worst_frame) == (4, 2.5, 7.0, 3)


def test_a_cut_does_not_flatten_the_usual_values():
    rng = np.random.default_rng(0)
    values = rng.normal(10, 1, 2000)
    values[500] = 1000.0
    assert 15 < robust_top(values) < 25
    assert robust_top(np.full(5, 3.0)) == 3.0
