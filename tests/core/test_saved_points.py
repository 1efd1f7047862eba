from __future__ import annotations

from dataclasses import replace

import pytest

from latentlab.core.directions import Direction, read_directions, rename_direction, save_direction
from latentlab.core.errors import InputError
from latentlab.core.latent_state import LatentState
from latentlab.core.saved_points import FILE, SavedPoint, next_name, noted, read_points, write_points


def kept(seed, name="A", dim=5):
    return SavedPoint(name, replace(LatentState(dim, seed=seed).point, label=seed), "", 12)


def test_points_come_back_bit_for_bit_with_notes_classes_and_seeds(tmp_path):
    points = [noted(kept(3), "  two\nlines "), kept(4, "B")]
    write_points(tmp_path, points)
    back = read_points(tmp_path, 5)
    assert [point.point.same(saved.point) for point, saved in zip(back, points, strict=True)] == [True, True]
    assert (back[0].note, back[0].step, back[0].name) == ("two lines", 12, "A")
    assert not back[0].point.z.flags.writeable


def test_points_of_other_sizes_stay_in_the_file(tmp_path):
    write_points(tmp_path, [kept(1, dim=3)])
    write_points(tmp_path, [kept(2)])
    assert len(read_points(tmp_path, 3)) == 1
    assert len(read_points(tmp_path)) == 2


def test_a_damaged_file_costs_one_clear_message_and_is_not_overwritten(tmp_path):
    (tmp_path / FILE).write_text('{"points": [{"name": "A"}]}')
    with pytest.raises(InputError, match="damaged"):
        read_points(tmp_path)
    with pytest.raises(InputError, match="damaged"):
        write_points(tmp_path, [kept(1)])
    assert "name" in (tmp_path / FILE).read_text()


def test_letters_run_on():
    assert next_name([]) == "A"
    assert next_name(["A", "C"]) == "B"
    assert next_name(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == "A2"


def test_a_direction_is_renamed_where_it_stands(tmp_path):
    for name, value in (("one", 1.0), ("two", 2.0), ("three", 3.0)):
        save_direction(tmp_path, Direction(name, (value, 0.0)))
    assert [way.name for way in rename_direction(tmp_path, "two", "deux")] == ["one", "deux", "three"]
    assert [way.name for way in rename_direction(tmp_path, "deux", "three")] == ["one", "three"]
    assert read_directions(tmp_path)[1].vector == (2.0, 0.0)
    with pytest.raises(InputError, match="no direction"):
        rename_direction(tmp_path, "gone", "x")
    with pytest.raises(InputError, match="name"):
        rename_direction(tmp_path, "one", " ")


def test_deleting_the_last_point_leaves_an_empty_list(tmp_path):
    write_points(tmp_path, [kept(1)])
    write_points(tmp_path, [])
    assert read_points(tmp_path) == []
