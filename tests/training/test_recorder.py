from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from latentlab.core.errors import LatentLabError
from latentlab.training.metrics_db import read_metrics
from latentlab.training.recorder import Recorder


def test_flush_waits_until_everything_is_on_disk(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        for step in range(1, 100):
            recorder.append(step, 0.0, {"a": float(step)})
        recorder.flush()
        assert read_metrics(tmp_path / "metrics.db")["a"][0][-1] == 99
        recorder.flush()


def test_rows_reach_the_disk_by_themselves_within_half_a_second(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        recorder.append(1, 0.0, {"a": 1.0})
        recorder.flush()
        start = time.monotonic()
        recorder.append(2, 0.0, {"a": 2.0})
        while read_metrics(tmp_path / "metrics.db")["a"][0][-1] < 2:
            # Half a second is promised; the rest is for a busy machine.
            assert time.monotonic() - start < 5.0


def test_leaving_writes_the_rest_and_ends_the_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    with Recorder(tmp_path) as recorder:
        recorder.append(1, 0.0, {"a": 1.0})
    assert read_metrics(tmp_path / "metrics.db")["a"][0].tolist() == [1.0]
    assert threading.active_count() == before


def test_leaving_by_an_error_writes_the_rest_too(tmp_path: Path) -> None:
    def work() -> None:
        with Recorder(tmp_path) as recorder:
            recorder.append(1, 0.0, {"a": 1.0})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert read_metrics(tmp_path / "metrics.db")["a"][0].tolist() == [1.0]


def test_what_goes_wrong_in_writing_reaches_the_trainer(tmp_path: Path) -> None:
    (tmp_path / "metrics.db").mkdir()
    with pytest.raises(LatentLabError, match="cannot be written"), Recorder(tmp_path) as recorder:
        recorder.flush()
