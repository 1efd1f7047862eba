from __future__ import annotations

from dataclasses import replace

import numpy as np
import video_clips
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImageReader
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QSlider
from video_study import FRAMES, SIZE, bring, close_to, edited, pixels, snapshot

from latentlab.core.directions import Direction, read_directions
from latentlab.ui.pages.video_latent_strip import LEFT


def test_the_curve_lies_under_the_timeline_and_the_worst_frames_are_marked(measured):
    page, study = measured, measured.study
    series = page.timeline.content.series
    assert [curve.key for curve in series] == ["pixel"]
    assert np.array_equal(series[0].values, study.curves.values["pixel"])
    assert "1,234" in series[0].note
    marks = [mark.frame for mark in page.timeline.marks("worst")]
    assert marks == sorted(study.worst)
    assert min(np.diff(marks)) >= 30
    assert study.worst[0] == int(study.curves.values["pixel"].argmax())


def test_next_and_previous_worst_by_key(qtbot, measured):
    page = measured
    page.setFocus()
    marks = [mark.frame for mark in page.timeline.marks("worst")]
    visited = []
    for _ in marks:
        QTest.keyClick(page, Qt.Key.Key_N)
        visited.append(page.frame)
    assert sorted(visited) == marks
    QTest.keyClick(page, Qt.Key.Key_P)
    assert page.frame == visited[-2]
    QTest.keyClick(page, Qt.Key.Key_W)
    assert page.frame == page.study.worst[0]


def test_the_panel_on_errors_tells_the_statistics_and_goes_to_frames(measured):
    panel = bring(measured, "errors")
    pixel = measured.study.curves.values["pixel"].astype(np.float64)
    assert f"median {-10 * np.log10(np.median(pixel)):.2f} dB" in panel.numbers.text()
    assert f"worst {-10 * np.log10(pixel.max()):.2f} dB" in panel.numbers.text()
    assert "discriminator" in panel.absent.text()
    row = panel.list.item(1)
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=panel.list.visualItemRect(row).center())
    assert measured.frame == measured.study.worst[1]
    panel.count.setValue(2)
    assert panel.list.count() == len(measured.timeline.marks("worst")) == 2


def test_other_curves_can_be_chosen_and_laid_over_each_other(measured):
    panel = bring(measured, "errors")
    panel.curve.setCurrentIndex(panel.curve.findData("kld_nats"))
    panel.beside.setCurrentIndex(panel.beside.findData("jitter"))
    assert [curve.key for curve in measured.timeline.content.series] == ["kld_nats", "jitter"]
    kld = measured.study.curves.values["kld_nats"]
    assert measured.study.worst[0] == int(kld.argmax())
    assert panel.curve.findData("feature_matching") == -1
    state = panel.save_state()
    panel.curve.setCurrentIndex(0)
    panel.restore_state(state)
    assert [curve.key for curve in measured.timeline.content.series] == ["kld_nats", "jitter"]
    panel.restore_state({"curve": 5, "count": "a", "every_s": None})


def test_the_current_frame_is_on_the_path_and_a_click_goes_there(qtbot, measured):
    panel = bring(measured, "latents")
    plane = panel.plane
    for frame in (10, 90):
        measured.go_to(frame)
        place = plane.place_of(frame)
        around = pixels(plane)[round(place.y()) - 3 : round(place.y()) + 4, round(place.x()) - 3 : round(place.x()) + 4]
        assert close_to(around, "accent").mean() > 0.8
    measured.go_to(0)
    points = np.array([[plane.place_of(n).x(), plane.place_of(n).y()] for n in range(FRAMES)])
    gaps = np.sort(np.linalg.norm(points[:, None] - points[None], axis=2) + 1e9 * np.eye(FRAMES), axis=1)[:, 0]
    lonely = int(gaps.argmax())
    QTest.mouseClick(plane, Qt.MouseButton.LeftButton, pos=plane.place_of(lonely).toPoint())
    assert measured.frame == lonely


def test_the_path_is_that_of_the_latents(measured):
    plane, path = bring(measured, "latents").plane, measured.study.path
    places = np.array([[plane.place_of(n).x(), -plane.place_of(n).y()] for n in path.frames.tolist()])
    scale = np.std(places[:, 0]) / np.std(path.points[:, 0])
    assert np.allclose(places - places.mean(axis=0), scale * (path.points - path.points.mean(axis=0)), atol=0.6)


def test_the_pointer_shows_the_frame_under_it(qtbot, measured):
    plane = bring(measured, "latents").plane
    before = pixels(plane)
    QTest.mouseMove(plane, plane.place_of(64).toPoint())
    frame = plane.frame_at(QPointF(plane.place_of(64).toPoint()))
    qtbot.waitUntil(lambda: plane._thumbnail is not None and plane._thumbnail[0] == frame, timeout=20_000)
    assert (np.abs(pixels(plane) - before).max(axis=2) > 8).sum() > SIZE[0] * SIZE[1] / 2


def test_heat_map_rows_are_dimensions_and_a_click_seeks(measured):
    panel = bring(measured, "latents")
    heat, path = panel.heat, measured.study.path
    assert heat.order.tolist() == path.order.tolist()
    band = heat.band()
    QTest.mouseClick(heat, Qt.MouseButton.LeftButton, pos=QPoint(band.left() + band.width() // 2, band.center().y()))
    assert abs(measured.frame - FRAMES // 2) <= 1
    picture = pixels(heat)
    x = round(heat.x_of(measured.frame))
    assert close_to(picture[band.top() + 4 : band.bottom() - 4, x], "text", 40).all()
    # The colour follows the value: orange where the first dimension is high, blue where it is low.
    row = path.heat[0] - path.mean[path.order[0]]
    y = band.top() + band.height() // 10
    measured.go_to(0)
    picture = pixels(heat)
    high, low = (picture[y, round(heat.x_of(int(pick)))] for pick in (np.argmax(row[5:]) + 5, np.argmin(row[5:]) + 5))
    assert high[0] > high[2]
    assert low[2] > low[0]


def test_dimensions_become_curves_and_go_again(qtbot, measured):
    panel = bring(measured, "latents")
    assert list(measured.study.path.curves) == measured.study.path.order[:2].tolist()
    last = int(measured.study.path.order[-1])
    band = panel.heat.band()
    QTest.mouseClick(panel.heat, Qt.MouseButton.LeftButton, pos=QPoint(LEFT // 2, band.bottom() - 4))
    qtbot.waitUntil(lambda: last in measured.study.path.curves, timeout=20_000)
    assert measured.frame == 0
    assert close_to(pixels(panel.curves), "feature").sum() > 10  # the third colour
    panel.toggle_dimension(last)
    qtbot.waitUntil(lambda: last not in measured.study.path.curves, timeout=20_000)


def test_a_range_narrows_the_strips_and_another_plane_is_drawn(qtbot, measured):
    panel = bring(measured, "latents")
    measured.set_range(30, 59)
    qtbot.waitUntil(lambda: measured.study.path.first == 30, timeout=20_000)
    assert (panel.heat.first, panel.heat.last) == (30, 59)
    assert panel.heat.frame_at(panel.heat.x_of(44)) == 44
    panel.across.setValue(3)
    qtbot.waitUntil(lambda: measured.study.path.components == (2, 1), timeout=20_000)
    measured.clear_range()
    qtbot.waitUntil(lambda: measured.study.path.last == FRAMES - 1, timeout=20_000)


def test_two_marked_frames_give_a_strip_and_a_direction(qtbot, measured, tmp_path):
    panel = bring(measured, "edit")
    for letter, frame in (("A", 12), ("B", 100)):
        measured.go_to(frame)
        panel.between.marks[letter].click()
    panel.between.count.setValue(6)
    qtbot.waitUntil(lambda: panel.between.shown is not None and len(panel.between.shown.images) == 6, timeout=20_000)
    assert measured.study.marks == {"A": 12, "B": 100}
    assert "100" in panel.between.marks["B"].text()
    panel.between.save_as(str(tmp_path / "strip.png"))
    reader = QImageReader(str(tmp_path / "strip.png"))
    assert (reader.size().width(), reader.size().height()) == (6 * SIZE[1], SIZE[0])
    assert reader.read().text("latentlab.step") == "1234"
    panel.name.setText("walk")
    panel.save.click()
    saved = read_directions(measured.run)
    assert [direction.name for direction in saved] == ["walk"]
    assert np.allclose(saved[0].vector, panel.between.shown.difference, atol=1e-6)
    assert panel.direction.currentText() == "walk"
    qtbot.waitUntil(lambda: panel.strength.isEnabled(), timeout=20_000)
    panel.strength.setValue(100)
    unit = Direction("walk", saved[0].vector).unit()
    assert np.allclose(measured.study.edit.direction, unit * measured.study.path.spreads["walk"], rtol=1e-4)
    edited(qtbot, measured)
    panel.delete.click()
    assert read_directions(measured.run) == []


def test_playing_the_strip_shows_one_picture_after_the_other(qtbot, measured):
    panel = bring(measured, "edit")
    measured.study.set_mark("A", 5)
    measured.study.set_mark("B", 70)
    panel.between.ask()
    qtbot.waitUntil(lambda: panel.between.shown is not None, timeout=20_000)
    panel.between.play.click()
    qtbot.waitUntil(lambda: panel.between.strip.image().width() == SIZE[1], timeout=20_000)
    panel.between.play.click()
    assert panel.between.strip.image().width() > SIZE[1]


def test_update_measures_with_the_newest_weights(qtbot, measured):
    panel = bring(measured, "errors")
    panel.auto.setChecked(False)
    measured.context.training.weights.put(snapshot(measured.run, step=2000, seed=5))
    panel.update_now.click()
    qtbot.waitUntil(lambda: measured.study.curves.step == 2000 and measured.study.curves.complete, timeout=30_000)
    assert "2,000" in panel.study.step_text()


def test_the_panels_stay_with_the_step_that_is_held(qtbot, measured):
    follow, weights, study = measured.study.follow, measured.context.training.weights, measured.study
    weights.put(snapshot(measured.run, step=2000, seed=5))
    follow.hold()
    qtbot.waitUntil(lambda: study.curves.step == 2000 and study.curves.complete, timeout=30_000)
    weights.put(snapshot(measured.run, step=3000, seed=6))
    study.service.update()
    QTest.qWait(300)
    assert study.curves.step == 2000
    follow.follow()
    qtbot.waitUntil(lambda: study.curves.step == 3000 and study.curves.complete, timeout=30_000)


def test_the_table_is_saved_from_the_panel(qtbot, measured, tmp_path):
    panel = bring(measured, "errors")
    panel.save_csv(str(tmp_path / "a.csv"))
    qtbot.waitUntil(lambda: bool(measured.context.messages), timeout=20_000)
    assert len((tmp_path / "a.csv").read_text().splitlines()) == FRAMES + 1


def test_another_film_forgets_marks_edit_and_path(qtbot, measured, tmp_path):
    panel = bring(measured, "edit")
    measured.study.set_mark("A", 5)
    panel.strength.setValue(100)
    other = video_clips.write_clip(tmp_path / "b.mp4", frames=40)
    with qtbot.waitSignal(measured.service.opened, timeout=20_000):
        measured.open_video(other)
    assert measured.study.marks == {}
    assert not measured.study.edit.active
    qtbot.waitUntil(lambda: measured.study.path is not None and len(measured.study.path.jitter) == 40, timeout=30_000)


def test_what_was_measured_of_another_film_is_not_taken_for_this_ones(qtbot, measured):
    study, service = measured.study, measured.study.service
    curves, path = study.curves, study.path
    service.set_active(False)  # The analysis has nothing to add.
    for stale in (replace(curves, source=object()), replace(curves, frames=curves.frames + 1)):
        service.curves.put(stale)
        service.path.put(replace(path, source=object()))
        qtbot.waitUntil(lambda: study.curves is None and study.path is None, timeout=5000)
        assert study.worst == []
        assert measured.panel["errors"].list.count() == 0
        service.curves.put(curves)
        service.path.put(path)
        qtbot.waitUntil(lambda: study.curves is curves and study.path is path, timeout=5000)


def test_damaged_directions_are_told(qtbot, measured):
    measured.expects_errors = True
    (measured.run / "directions.json").write_text("{")
    measured.study.load_directions()
    assert "damaged" in measured.context.errors.reports[-1].what
    measured.study.marks.clear()
    measured.panel["edit"].save.click()


def test_panels_fit_beside_the_pictures(measured):
    for key in ("errors", "latents", "edit"):
        panel = bring(measured, key)
        measured.side.parentWidget().setSizes([10_000, 1])  # As narrow as the divider lets it be.
        assert panel.minimumSizeHint().width() <= 262, key
        assert panel.mapTo(measured.side, panel.rect().topRight()).x() < measured.side.width(), key


def test_every_control_has_a_name_and_a_tooltip(measured):
    for panel in (measured.panel[key] for key in ("errors", "latents", "edit")):
        for kind in (QAbstractButton, QComboBox, QAbstractSpinBox, QSlider):
            for control in panel.findChildren(kind):
                if control.objectName().startswith("qt_") or isinstance(control.parent(), QAbstractSpinBox):
                    continue
                assert control.accessibleName(), control
                assert control.toolTip(), control.accessibleName()
