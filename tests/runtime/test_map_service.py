from __future__ import annotations

import csv
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from runtime_fakes import info_of

from latentlab.core.latent_map import Plane
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.messages import Progress
from latentlab.explore import map_embedding
from latentlab.runtime.latent_map import MapService


def survey_of(count: int = 300, seed: int = 0) -> LatentSurvey:
    mu = np.random.default_rng(seed).standard_normal((count, 4)).astype(np.float32)
    facts = {"labels": np.arange(count) % 3, "pixel": np.full(count, 0.25, np.float32), "test": np.arange(count) < 9}
    factors = {"hue": np.linspace(0, 1, count, dtype=np.float32)}
    return LatentSurvey(5, info_of(), np.arange(count) * 2, mu, np.zeros_like(mu), factors=factors, **facts)


@pytest.fixture
def maps(qtbot: QtBot) -> Iterator[MapService]:
    made = MapService()
    yield made
    assert made.shutdown(20_000)


@pytest.fixture
def slow_embed(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Replace t-SNE by one that publishes once and then waits to be told to go on, or to stop."""
    gate = threading.Event()

    def embed(codes, progress, publish):
        progress(Progress("t-SNE", 25, 750))
        publish(codes[:, :2].copy(), 25, 750)
        while not gate.wait(0.005):
            progress(Progress("t-SNE", 50, 750))
        return codes[:, 2:].copy()

    monkeypatch.setattr(map_embedding, "embed", embed)
    monkeypatch.setattr(map_embedding, "MOST_POINTS", 100)
    monkeypatch.setattr(map_embedding, "sample", lambda count: np.arange(0, count, 3))
    return gate


def test_a_plane_is_laid_out_and_lengths_are_told(maps, qtbot):
    survey = survey_of()
    maps.show(survey, Plane("pca", (0, 1)))
    qtbot.waitUntil(lambda: maps.norms.get()[1] is not None)
    layout = maps.layouts.get()[1]
    assert layout.survey is survey
    assert layout.points.shape == (300, 2)
    maps.show(survey, Plane("dims", (3, 1)))
    qtbot.waitUntil(lambda: maps.layouts.get()[1].plane.kind == "dims")
    np.testing.assert_array_equal(maps.layouts.get()[1].points, survey.mu[:, [3, 1]])


def test_t_sne_shows_what_it_has_and_is_kept(maps, qtbot, slow_embed):
    survey = survey_of()
    maps.show(survey, Plane("tsne"))
    qtbot.waitUntil(lambda: maps.layouts.get()[1] is not None)
    layout = maps.layouts.get()[1]
    assert (layout.steps, len(layout.index), maps.busy) == ((25, 750), 100, True)
    slow_embed.set()
    qtbot.waitUntil(lambda: not maps.busy)
    done = maps.layouts.get()[1]
    assert done.steps == (0, 0)
    maps.show(survey, Plane("dims"))
    qtbot.waitUntil(lambda: maps.layouts.get()[1].plane.kind == "dims")
    maps.show(survey, Plane("tsne"))
    assert maps.layouts.get()[1] is done


def test_t_sne_that_nobody_looks_at_does_not_come_in_between(maps, qtbot, slow_embed):
    survey = survey_of()
    maps.show(survey, Plane("tsne"))
    qtbot.waitUntil(lambda: maps.layouts.get()[1] is not None)
    maps.show(survey, Plane("dims"))
    qtbot.waitUntil(lambda: maps.layouts.get()[1].plane.kind == "dims")
    slow_embed.set()
    qtbot.waitUntil(lambda: not maps.busy)
    assert maps.layouts.get()[1].plane.kind == "dims"


def test_cancelling_leaves_what_is_there(maps, qtbot, slow_embed):
    maps.show(survey_of(), Plane("tsne"))
    qtbot.waitUntil(lambda: maps.layouts.get()[1] is not None)
    maps.cancel()
    qtbot.waitUntil(lambda: not maps.busy)
    assert maps.layouts.get()[1].steps == (25, 750)


def test_another_survey_ends_the_t_sne_of_the_first(maps, qtbot, slow_embed):
    maps.show(survey_of(), Plane("tsne"))
    qtbot.waitUntil(lambda: maps.layouts.get()[1] is not None)
    other = survey_of(seed=1)
    maps.show(other, Plane("tsne"))
    qtbot.waitUntil(lambda: maps.layouts.get()[1].survey is other)
    assert maps.busy
    slow_embed.set()
    qtbot.waitUntil(lambda: not maps.busy)
    assert maps.layouts.get()[1].survey is other


def test_too_few_images_for_t_sne_are_told(maps, qtbot):
    with qtbot.waitSignal(maps.failed) as caught:
        maps.show(survey_of(5), Plane("tsne"))
    assert "at least 8 images" in caught.args[0].what
    qtbot.waitUntil(lambda: not maps.busy)


def test_a_group_is_looked_at_in_the_background(maps, qtbot):
    survey = survey_of()
    maps.show(survey, Plane("pca"))
    qtbot.waitUntil(lambda: maps.layouts.get()[1] is not None)
    maps.gather(maps.layouts.get()[1], survey.labels == 1)
    qtbot.waitUntil(lambda: maps.groups.get()[1] is not None)
    assert len(maps.groups.get()[1]) == 100


def test_a_group_is_written_as_a_table_and_as_arrays(maps, qtbot, tmp_path):
    survey, index = survey_of(), np.array([4, 7])
    for name in ("group.csv", "group.npz"):
        with qtbot.waitSignal(maps.exported) as caught:
            maps.export(tmp_path / name, survey, index)
        assert caught.args[0] == tmp_path / name
    with (tmp_path / "group.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["row"] for line in lines] == ["8", "14"]
    assert (lines[0]["label"], lines[0]["test"], lines[0]["pixel"]) == ("1", "1", "0.25")
    assert float(lines[1]["mu3"]) == pytest.approx(float(survey.mu[7, 3]), rel=1e-5)
    with np.load(tmp_path / "group.npz") as arrays:
        np.testing.assert_array_equal(arrays["mu"], survey.mu[index])
        np.testing.assert_array_equal(arrays["label"], [1, 1])
        assert arrays["step"] == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["group.csv", "group.npz"]


def test_a_group_that_cannot_be_written_is_told(maps, qtbot, tmp_path):
    with qtbot.waitSignal(maps.failed) as caught:
        maps.export(tmp_path / "nowhere" / "group.csv", survey_of(), np.array([0]))
    assert "cannot be written" in caught.args[0].what
