from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from latentlab.core.errors import InputError
from latentlab.training.metrics_db import BLOCK_ROWS, MetricsFollower, MetricsWriter, read_latest, read_metrics


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.db"


def write(path: Path, steps: range, *, writer: MetricsWriter | None = None) -> None:
    own = writer or MetricsWriter(path)
    for step in steps:
        own.append(step, step / 10, {"pixel": 1.0 / step, "beta": float(step)})
    own.flush() if writer else own.close()


def test_values_come_back_bit_for_bit_across_blocks(path: Path) -> None:
    last = 2 * BLOCK_ROWS + 17
    write(path, range(1, last + 1))
    series = read_metrics(path)
    steps, pixel = series["pixel"]
    assert steps.tolist() == list(range(1, last + 1))
    assert pixel.tolist() == [1.0 / step for step in range(1, last + 1)]
    assert series["elapsed_s"][1][-1] == last / 10


def test_rows_written_in_many_flushes_fill_one_block(path: Path) -> None:
    writer = MetricsWriter(path)
    for step in range(1, 40):
        write(path, range(step, step + 1), writer=writer)
    writer.close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*), max(count) FROM block").fetchone() == (1, 39)
    db.close()


def test_the_documented_layout_is_enough_to_read_the_file_without_this_package(path: Path) -> None:
    write(path, range(1, 4))
    db = sqlite3.connect(path)
    names, count, data = db.execute(
        "SELECT names, count, data FROM block JOIN layout ON layout.id = block.layout"
    ).fetchone()
    db.close()
    table = np.frombuffer(data, "<f8").reshape(-1, count)
    assert names == '["pixel", "beta"]'
    assert table.tolist() == [[1, 2, 3], [0.1, 0.2, 0.3], [1, 1 / 2, 1 / 3], [1, 2, 3]]


def test_test_metrics_have_rows_of_their_own(path: Path) -> None:
    writer = MetricsWriter(path)
    writer.append(10, 1.0, {"pixel": 0.5})
    writer.append(20, 2.0, {"pixel": 0.4, "test_pixel": 0.6})
    writer.close()
    series = read_metrics(path)
    assert series["pixel"][0].tolist() == [10, 20]
    assert series["test_pixel"][0].tolist() == [20]
    assert series["elapsed_s"][0].tolist() == [10, 20]


def test_a_metric_that_appears_later_keeps_its_order(path: Path) -> None:
    writer = MetricsWriter(path)
    for step, values in ((1, {"a": 1.0}), (2, {"a": 2.0, "b": 20.0}), (3, {"a": 3.0})):
        writer.append(step, 0.0, values)
        writer.flush()
    writer.close()
    assert [column.tolist() for column in read_metrics(path)["a"]] == [[1, 2, 3], [1, 2, 3]]


def test_truncate_drops_what_came_after_and_only_that(path: Path) -> None:
    write(path, range(1, BLOCK_ROWS + 100))
    writer = MetricsWriter(path)
    writer.truncate(BLOCK_ROWS + 50)
    writer.close()
    assert read_metrics(path)["pixel"][0].tolist() == list(range(1, BLOCK_ROWS + 51))
    assert read_latest(path)["beta"] == (BLOCK_ROWS + 50, BLOCK_ROWS + 50.0)
    writer = MetricsWriter(path)
    writer.truncate(7)
    write(path, range(8, 10), writer=writer)
    writer.close()
    assert read_metrics(path)["pixel"][0].tolist() == list(range(1, 10))


def test_truncate_to_nothing(path: Path) -> None:
    write(path, range(1, 5))
    writer = MetricsWriter(path)
    writer.truncate(0)
    writer.close()
    assert read_metrics(path) == {}
    assert read_latest(path) == {}


def test_last_rows(path: Path) -> None:
    write(path, range(1, 3 * BLOCK_ROWS))
    assert read_metrics(path, last_rows=200)["beta"][1].tolist() == list(range(3 * BLOCK_ROWS - 200, 3 * BLOCK_ROWS))


def test_latest_keeps_values_that_are_not_finite(path: Path) -> None:
    writer = MetricsWriter(path)
    writer.append(1, 0.0, {"a": math.nan, "b": math.inf})
    writer.close()
    latest = read_latest(path)
    assert math.isnan(latest["a"][1])
    assert latest["b"] == (1, math.inf)


def test_a_follower_reads_beside_the_writer_and_sees_each_row_once(path: Path) -> None:
    writer = MetricsWriter(path)
    follower = MetricsFollower(path)
    seen: list[float] = []
    for start in range(1, 3 * BLOCK_ROWS, 100):
        write(path, range(start, start + 100), writer=writer)
        seen += follower.poll()[1]["beta"][1].tolist()
    assert seen == [float(step) for step in range(1, len(seen) + 1)]
    assert follower.poll() == (False, {})
    writer.close()


def test_a_follower_starts_over_when_rows_were_dropped(path: Path) -> None:
    write(path, range(1, 30))
    follower = MetricsFollower(path)
    follower.poll()
    writer = MetricsWriter(path)
    writer.truncate(10)
    write(path, range(11, 13), writer=writer)
    writer.close()
    started_over, new = follower.poll()
    assert started_over
    assert new["beta"][0].tolist() == list(range(1, 13))


def test_reading_a_closed_run_leaves_no_log_files_behind(path: Path) -> None:
    write(path, range(1, 5))
    read_metrics(path)
    assert [p.name for p in path.parent.iterdir()] == ["metrics.db"]


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 100, None])
def test_a_bad_file_is_one_clear_error(path: Path, damage: bytes | None) -> None:
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(InputError, match=r"metrics\.db"):
        read_metrics(path)


def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    write(path, range(1, 5))
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(InputError, match="newer"):
        read_metrics(path)


def test_on_a_network_disk_there_is_no_log_in_shared_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.training.metrics_db.is_network_disk", lambda _path: True)
    writer = MetricsWriter(path)
    follower = MetricsFollower(path)
    seen = 0
    for step in range(1, 40):
        writer.append(step, 0.1 * step, {"pixel": 1.0 / step})
        writer.flush()
        assert sorted(file.name for file in path.parent.iterdir()) == [path.name, f"{path.name}-journal"]
        seen += len(follower.poll()[1]["pixel"][0])
    assert seen == 39
    writer.close()
    assert len(read_metrics(path)["pixel"][0]) == 39
