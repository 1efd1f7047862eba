from __future__ import annotations

import json
from pathlib import Path

import pytest

from latentlab.ui.settings_store import MAX_RECENT, SettingsStore


def test_values_come_back_at_the_next_start():
    store = SettingsStore()
    store.set("page", "explorePage")
    store.set("panel", {"shown": False, "width": 300})
    assert store.save() == ""
    again = SettingsStore()
    assert again.get("page", "") == "explorePage"
    assert again.get("panel", {}) == {"shown": False, "width": 300}
    assert again.problem == ""


def test_a_value_of_another_type_is_not_believed():
    store = SettingsStore()
    store.set("width", "wide")
    store.set("count", True)
    assert store.get("width", 344) == 344
    assert store.get("count", 7) == 7
    assert store.get("missing", [1]) == [1]


@pytest.mark.parametrize("damage", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b'{"page": ' + b"[" * 100_000])
def test_a_damaged_file_is_set_aside_and_the_defaults_hold(tmp_path: Path, damage: bytes):
    path = tmp_path / "window.json"
    path.write_bytes(damage)
    store = SettingsStore(path)
    assert store.get("page", "default") == "default"
    assert "window.json was damaged" in store.problem
    assert path.with_name("window.json.damaged").read_bytes() == damage
    store.set("page", "videoPage")
    assert store.save() == ""
    assert json.loads(path.read_text()) == {"page": "videoPage"}


def test_a_start_for_a_picture_changes_nothing(tmp_path: Path):
    path = tmp_path / "window.json"
    path.write_text("{")
    store = SettingsStore(path, read_only=True)
    store.set("page", "videoPage")
    assert store.save() == ""
    assert path.read_text() == "{"


def test_a_file_that_cannot_be_written_is_a_sentence_and_leaves_no_rest(tmp_path: Path):
    path = tmp_path / "window.json"
    path.mkdir()
    store = SettingsStore(tmp_path / "window.json")
    assert "cannot be read" in store.problem
    assert "could not be saved" in store.save()
    assert list(tmp_path.iterdir()) == [path]


def test_what_json_cannot_hold_is_a_sentence(tmp_path: Path):
    store = SettingsStore(tmp_path / "window.json")
    store.set("page", object())
    assert "could not be saved" in store.save()
    assert not (tmp_path / "window.json").exists()


def test_recent_paths_are_newest_first_once_each_and_existing(tmp_path: Path):
    store = SettingsStore()
    made = []
    for i in range(MAX_RECENT + 3):
        made.append(tmp_path / f"run{i:02}")
        made[-1].mkdir()
        store.add_recent(made[-1])
    store.add_recent(made[5])
    made[-2].rmdir()
    recent = store.recent()
    assert recent[:2] == [made[5], made[-1]]
    assert made[-2] not in recent
    assert len(recent) == len(set(recent)) == MAX_RECENT - 1
