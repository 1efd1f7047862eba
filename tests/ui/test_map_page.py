from __future__ import annotations

from dataclasses import replace

import numpy as np
import openTSNE  # noqa: F401 - the first import takes seconds, which is not what is tested here
import pytest
from map_fakes import click, make_map_context, put_step
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from latentlab.core.directions import read_directions
from latentlab.core.errors import InputError
from latentlab.core.messages import DecodeRequest, ReconstructRequest, TrainingState
from latentlab.explore import map_embedding
from latentlab.ui.pages.map import NO_ENCODER, PREPARING, UNASKED, WAITING, MapPage

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def context(tmp_path):
    context = make_map_context(tmp_path)
    yield context
    assert context.survey.shutdown(10_000)
    assert context.maps.shutdown(10_000)


@pytest.fixture
def page(qtbot, context):
    page = MapPage(context)
    qtbot.addWidget(page)
    page.resize(1100, 760)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    yield page
    page.close_down()
    page.hide()


@pytest.fixture
def ready(page, context, qtbot):
    put_step(context)
    wait_layout(page, qtbot, lambda layout: layout.survey.complete)
    qtbot.waitUntil(lambda: not context.survey.busy)
    page._told_at = 0.0
    page.tick()
    return page


def wait_layout(page, qtbot, good=lambda layout: True):
    def there():
        page._told_at = 0.0
        page.tick()
        return page.layout_shown is not None and good(page.layout_shown)

    qtbot.waitUntil(there, timeout=20_000)


def choose(page, combo, key):
    combo.setCurrentIndex(combo.findData(key))
    combo.activated.emit(combo.currentIndex())


def test_before_there_are_weights_it_says_what_to_do(page, context):
    context.training.state = TrainingState.IDLE
    page.tick()
    assert page.empty.label.text() == WAITING
    chosen = []
    context.choose_recipe = lambda: chosen.append(1)
    page.empty.button.click()
    assert chosen == [1]
    context.training.state = TrainingState.PREPARING
    page.tick()
    assert page.empty.label.text() == PREPARING


def test_a_model_without_an_encoder_has_no_map(page, context, tmp_path):
    context.model = replace(context.model, recipe=context.model.recipe.model_copy(deep=True))
    context.model.recipe.model.kind = "cgan"
    put_step(context)
    page.tick()
    assert page.empty.label.text() == NO_ENCODER


def test_data_that_are_gone_are_said_to_be_and_can_be_tried_again(page, context, qtbot):
    context.surveyor.problem = InputError("The data set is gone.", hint="Bring it back.")
    put_step(context)
    qtbot.waitUntil(lambda: context.survey.problem.get()[1] is not None)
    qtbot.waitUntil(lambda: not context.survey.busy)
    page._told_at = 0.0
    page.tick()
    assert page.empty.label.text() == "The data set is gone. Bring it back."
    context.surveyor.problem = None
    page.empty.button.click()
    wait_layout(page, qtbot)


def test_a_run_whose_survey_was_cancelled_offers_another(page, context, qtbot):
    context.surveyor.stuck = True
    put_step(context)
    qtbot.waitUntil(lambda: context.survey.busy)
    page._told_at = 0.0
    page.tick()
    assert page.empty.button.text() == "Cancel"
    page.empty.button.click()
    qtbot.waitUntil(lambda: not context.survey.busy)
    page._told_at = 0.0
    page.tick()
    assert page.empty.label.text() == UNASKED


def test_the_whole_data_set_appears_and_says_which_step_it_is_of(ready, context):
    assert len(ready.layout_shown.points) == 400
    assert ready.map.in_view().mean() > 0.98
    assert ready.bar.label.text() == "survey of step 10 · 400 images"
    assert ready.stack.currentIndex() == 1
    assert ready.status_text() == "survey of step 10"


def test_newer_weights_are_told_and_surveyed_when_asked(ready, context, qtbot):
    put_step(context, 25)
    ready._told_at = 0.0
    ready.tick()
    assert "weights in use are of step 25" in ready.bar.label.text()
    QTest.keyClick(ready, Qt.Key.Key_S)
    wait_layout(ready, qtbot, lambda layout: layout.survey.step == 25)


def test_planes_are_chosen_by_kind_and_axes(ready, qtbot):
    choose(ready, ready.controls.kind, "dims")
    wait_layout(ready, qtbot, lambda layout: layout.axes == ("z0", "z1"))
    ready.controls.up.setValue(3)
    wait_layout(ready, qtbot, lambda layout: layout.axes == ("z0", "z3"))
    choose(ready, ready.controls.kind, "pca")
    wait_layout(ready, qtbot, lambda layout: layout.plane.dims == (0, 1))
    assert ready.controls.across.text() == "→ PC 1"


def test_pointing_shows_the_image_beside_its_reconstruction(ready, context, qtbot):
    place = ready.map.place_of(42)
    ready.map.look_at(place)
    row = int(ready.layout_shown.survey.rows[ready.map.hover])
    qtbot.waitUntil(lambda: ready.map._thumbnail is not None and ready.map._thumbnail[0] == ready.map.hover)
    qtbot.waitUntil(lambda: bool(context.inference.of("map.decode")))
    request = context.inference.of("map.decode")[-1]
    assert isinstance(request, ReconstructRequest)
    assert (request.tag, request.labels.tolist(), int(request.images[0, 0, 0, 0])) == (row, [row % 4], row % 251)
    context.inference.answer("map.decode")
    assert ready.inspector.title.text() == f"Image {row}"
    assert ready.inspector.picture.columns == 2
    assert "error 0.0" in ready.inspector.facts.text()
    assert context.placed == []


def test_a_click_pins_sets_the_sliders_and_shows_neighbours(ready, context, qtbot):
    click(ready.map, ready.map.place_of(42))
    z, label = context.placed[-1]
    index = ready.pointer.pinned.index
    np.testing.assert_array_equal(z, ready.layout_shown.survey.mu[index])
    assert label == index % 4
    assert context.explored == []
    qtbot.waitUntil(lambda: bool(ready.inspector.density.text()))
    assert ready.inspector.density.text().startswith("On the map")
    assert len(ready.pointer._nearest.rows) == 8
    assert ready.pointer.pinned.row not in ready.pointer._nearest.rows
    second = int(ready.pointer._nearest.rows[1])
    ready.inspector.neighbours.clicked.emit(1)
    assert ready.pointer.pinned.row == second
    QTest.keyClick(ready.map, Qt.Key.Key_Return)
    np.testing.assert_array_equal(context.explored[-1][0], ready.layout_shown.survey.mu[second])


def test_empty_space_is_decoded_through_the_way_back(ready, context, qtbot):
    ready.pointer.pin_place(40.0, 40.0)
    request = context.inference.of("map.decode")[-1]
    assert isinstance(request, DecodeRequest)
    np.testing.assert_allclose(ready.layout_shown.place(request.z), [[40, 40]], atol=1e-3)
    context.inference.answer("map.decode")
    assert ready.inspector.title.text() == "Empty place"
    qtbot.waitUntil(lambda: ready.inspector.density.text().startswith("Off the map"))
    np.testing.assert_array_equal(context.placed[-1][0], request.z[0])


def test_an_answer_about_something_else_is_not_shown(ready, context, qtbot):
    ready.pointer.pin_place(40.0, 40.0)
    ready.pointer.pin_dot(3)
    qtbot.waitUntil(lambda: ready.talk._decode._waiting is not None)
    shown = []
    ready.talk.pictures.connect(lambda subject, images, captions: shown.append(captions))
    context.inference.answer("map.decode")
    assert ("decoded",) not in shown


def test_t_sne_says_that_there_is_no_way_back(ready, qtbot, monkeypatch):
    monkeypatch.setattr(map_embedding, "EARLY", 25)
    monkeypatch.setattr(map_embedding, "LATE", 25)
    choose(ready, ready.controls.kind, "tsne")
    wait_layout(ready, qtbot, lambda layout: layout.plane.kind == "tsne" and layout.steps == (0, 0))
    assert not ready.controls.lattice.isEnabled()
    assert not ready.controls.prior.isEnabled()
    assert not ready.controls.across.isEnabled()
    ready.pointer.pin_place(0.0, 0.0)
    assert "no way back" in ready.inspector.facts.text()
    assert ready.pointer.pinned is None


def test_a_group_is_counted_decoded_named_and_written(ready, context, qtbot, tmp_path, monkeypatch):
    chosen = ready.layout_shown.survey.labels == 1
    ready.map.lassoed.emit(chosen)
    qtbot.waitUntil(lambda: ready.tick() or ready.groups.group is not None)
    panel = ready.inspector.group
    assert panel.isVisible()
    assert panel.about.text().startswith("100 images, 25.0% of the survey")
    assert "mostly class 1" in panel.about.text()
    request = context.inference.of("map.group")[-1]
    survey = ready.layout_shown.survey
    np.testing.assert_allclose(request.z[1], survey.mu[chosen].mean(axis=0), atol=1e-5)
    context.inference.answer("map.group")
    assert panel.picture.columns == 3
    panel.name.setText("ones")
    QTest.keyClick(panel.name, Qt.Key.Key_Return)
    kept = read_directions(tmp_path)
    assert [direction.name for direction in kept] == ["ones"]
    expected = survey.mu[chosen].mean(axis=0) - survey.mu[~chosen].mean(axis=0)
    np.testing.assert_allclose(kept[0].vector, expected, atol=1e-4)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "group"), "Table (*.csv)"))
    with qtbot.waitSignal(context.maps.exported):
        panel.export.click()
    assert len((tmp_path / "group.csv").read_text().splitlines()) == 101
    panel.explore.click()
    assert context.explored[-1][1] == 1
    panel.clear.click()
    assert not panel.isVisible()
    assert ready.groups.chosen is None


def test_what_is_in_sight_can_be_made_a_group_from_the_keyboard(ready, qtbot):
    middle = ready.map.place_of(2)
    for _ in range(8):
        ready.map.zoom(1.5, middle)
    QTest.keyClick(ready, Qt.Key.Key_V)
    assert 0 < ready.groups.chosen.sum() < 200
    QTest.keyClick(ready, Qt.Key.Key_X)
    assert ready.groups.chosen is None


def test_a_group_and_a_pin_survive_another_plane_and_another_survey(ready, context, qtbot):
    ready.pointer.pin_dot(7)
    ready.groups.choose(ready.layout_shown.survey.labels == 2)
    choose(ready, ready.controls.kind, "dims")
    wait_layout(ready, qtbot, lambda layout: layout.plane.kind == "dims")
    assert ready.map.pinned == 7
    put_step(context, 30)
    ready.survey_again()
    wait_layout(ready, qtbot, lambda layout: layout.survey.step == 30)
    assert ready.map.pinned == 7
    assert ready.pointer.pinned.survey is ready.layout_shown.survey
    np.testing.assert_array_equal(ready.groups.chosen, ready.layout_shown.survey.labels == 2)


def test_the_lattice_decodes_the_plane_behind_the_dots(ready, context, qtbot):
    ready.controls.lattice.click()
    request = context.inference.of("map.lattice")[-1]
    lattice = ready._lattice
    assert len(request.z) == len(lattice.areas) > 20
    np.testing.assert_allclose(
        ready.layout_shown.place(request.z[:1])[0], lattice.areas[0].center().toTuple(), atol=1e-3
    )
    context.inference.answer("map.lattice")
    assert len(ready.map._lattice) == len(lattice.areas)
    area, picture = ready.map._lattice[0]
    assert (picture.width(), area) == (8, lattice.areas[0])
    ready.controls.lattice.click()
    assert ready.map._lattice == []


def test_newer_weights_decode_what_is_pinned_again(ready, context, qtbot):
    ready.pointer.pin_place(1.0, 1.0)
    context.inference.answer("map.decode")
    asked = len(context.inference.of("map.decode"))
    put_step(context, 11)
    ready._decoded_at = 0.0
    ready.tick()
    assert len(context.inference.of("map.decode")) == asked + 1


def test_another_run_starts_with_nothing(ready, context):
    ready.pointer.pin_dot(3)
    ready.restart()
    assert ready.layout_shown is None
    assert ready.pointer.pinned is None
    assert context.maps.layouts.get()[1] is None
    assert ready.stack.currentIndex() == 0


def test_what_is_chosen_is_remembered(ready, qtbot, context):
    choose(ready, ready.controls.kind, "dims")
    state = ready.save_state()
    again = MapPage(context)
    qtbot.addWidget(again)
    again.restore_state(state)
    assert again.controls.plane.kind == "dims"
    again.restore_state({"splitter": "x", "plane": 3})
    again.restore_state({"plane": "tsne"})
    assert again.controls.plane.kind == "dims"


def test_themes_and_keys(ready):
    ready.apply_theme()
    assert ready.key_rows()
    ready.map.look_at(QPointF(1, 1))
