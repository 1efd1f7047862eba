from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QSpinBox, QStyle, QStyleOptionComboBox

from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import field_errors, recipe_fields, validate
from latentlab.ui import style
from latentlab.ui.widgets.recipe_form import RecipeForm, short_error
from latentlab.ui.widgets.setting_editors import CountEditor, NumberEditor, one_two_five
from latentlab.ui.window_memory import MIN_PANEL_WIDTH

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def form(qtbot):
    form = RecipeForm()
    qtbot.addWidget(form)
    form.resize(344, 700)
    form.show()
    return form


def test_every_setting_has_a_field_with_tooltip_and_name(form):
    for key, field in recipe_fields():
        row = form.rows[key]
        assert key in row.editor.toolTip()
        assert (field.description or "?").split()[0] in row.editor.toolTip()
        assert "Default" in row.editor.toolTip()
        assert row.editor.accessibleName()
        assert row.label.buddy() is row.first_field()
        assert row.revert.toolTip()


@pytest.mark.parametrize("kind", ["vae", "ssvae", "vaegan", "cgan"])
def test_no_name_and_no_choice_is_cut_off_in_the_narrowest_panel(form, kind):
    style.apply_theme(QApplication.instance(), "dark")
    form.set_recipe(validate({"model": {"kind": kind}}), kind)
    form.setMinimumWidth(MIN_PANEL_WIDTH)  # As the window does; the form itself asks for more.
    form.resize(MIN_PANEL_WIDTH, 700)
    for section in form.sections:
        section.fold.click()
    QApplication.processEvents()
    seen = [row for row in form.rows.values() if row.isVisible()]
    assert sum(row.advanced for row in seen) > 10
    cut = []
    for row in seen:
        if row.label.sizeHint().width() > row.label.width():
            cut.append(row.label.text())
        if isinstance(row.editor, QComboBox):
            option = QStyleOptionComboBox()
            row.editor.initStyleOption(option)
            part = QStyle.SubControl.SC_ComboBoxEditField
            field = row.editor.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, row.editor)
            texts = [row.editor.itemText(i) for i in range(row.editor.count())]
            cut += [text for text in texts if row.editor.fontMetrics().horizontalAdvance(text) > field.width()]
        if isinstance(row.editor, QSpinBox):
            line = row.editor.lineEdit()
            row.set_value(min(row.editor.maximum(), 512))
            if line.fontMetrics().horizontalAdvance(line.text()) > line.width() - 4:  # A margin of 2 px on each side.
                cut.append(line.text())
    assert cut == []


def test_the_default_recipe_comes_back_from_the_fields_unchanged(form):
    assert form.recipe() == Recipe()
    assert not form.modified


@pytest.mark.parametrize("key", [key for key, _ in recipe_fields()])
def test_every_field_shows_and_returns_another_value(form, key):
    others = {
        "data.spec": "arena",
        "data.size": (64, 112),
        "data.crop": (0, 0, 121, 64),
        "data.limit": 500,
        "data.labelled_per_class": 10,
        "data.labelled_fraction": 0.1,
        "data.dedup": 2.0,
        "model.classifier_width": 8,
        "training.discriminator_lr": 2e-4,
    }
    row = form.rows[key]
    old = row.value()
    if key in others:
        new = others[key]
    elif isinstance(old, bool):
        new = not old
    elif isinstance(old, str):
        new = next(row.editor.itemText(i) for i in range(row.editor.count()) if row.editor.itemText(i) != old)
    else:
        new = old * 2 if old else type(old)(0.25) or 3
    row.set_value(new)
    assert row.value() == new
    assert row.modified
    assert not row.revert.isHidden()
    section, _, name = key.partition(".")
    assert getattr(getattr(form.recipe(), section), name) == new
    row.revert.click()
    assert form.recipe() == Recipe()


def test_an_invalid_value_marks_its_field_and_says_why(form):
    row = form.rows["model.latent_dim"]
    row.set_value(99_999)
    assert row.editor.property("invalid") is True
    assert row.error.isVisible()
    assert "at most 4096" in row.error.text()
    assert form.recipe() is None
    assert "Latent dims" in form.problem
    assert form.summary.isVisible()
    row.set_value(8)
    assert row.editor.property("invalid") is False
    assert not row.error.isVisible()
    assert form.problem == ""
    assert form.recipe().model.latent_dim == 8


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("training.lr", "fast", "not a number"),
        ("training.lr", "2", "at most 1"),
        ("training.lr", "-1e-3", "above 0"),
        ("training.lr", "", "not a number"),
        ("data.limit", "1.5", "not a whole number"),
        ("data.crop", "0, 0, 5", "four whole numbers"),
        ("data.crop", "-1, 0, 5, 5", "at least 0"),
    ],
)
def test_what_is_typed_is_judged_in_words(form, key, text, message):
    form.sections[0].fold.setChecked(True)
    form.rows[key].editor.setText(text)
    assert message in form.rows[key].message
    assert form.recipe() is None


def test_an_empty_data_set_is_refused(form):
    form.rows["data.spec"].set_value("")
    assert form.rows["data.spec"].message
    assert form.recipe() is None


def test_an_error_in_a_folded_setting_opens_the_fold(form):
    assert not form.sections[0].fold.isChecked()
    form.rows["data.stride"].set_value(0)
    assert form.sections[0].fold.isChecked()


def test_the_form_and_the_recipe_model_agree_on_what_is_valid(form):
    form.rows["training.batch_size"].set_value(1)
    form.rows["training.steps"].set_value(0)
    wrong = {key for key, row in form.rows.items() if row.message}
    assert wrong == set(field_errors(form.values())) == {"training.batch_size", "training.steps"}


def test_settings_that_do_not_apply_are_hidden(form):
    def shown(key):
        return not form.rows[key].isHidden()

    assert shown("objective.reconstruction")
    assert not shown("objective.feature_weight")
    form.rows["model.kind"].set_value("vaegan")
    assert shown("objective.feature_weight")
    assert not shown("objective.reconstruction")
    assert not shown("objective.target_kld")
    form.rows["objective.beta"].set_value("adaptive")
    assert shown("objective.target_kld")
    form.rows["model.kind"].set_value("ae")
    assert not shown("objective.beta")
    assert not shown("objective.target_kld")


def test_a_preset_can_be_changed_seen_to_be_so_and_reverted(form):
    recipe = validate({"title": "Mine", "model": {"kind": "vaegan", "latent_dim": 12}})
    form.set_recipe(recipe, "mine")
    assert form.recipe() == recipe
    assert form.header.modified.isHidden()
    form.rows["model.latent_dim"].set_value(13)
    form.rows["training.lr"].set_value(0.5)
    assert not form.header.modified.isHidden()
    model = next(section for section in form.sections if section.name == "model")
    model.revert.click()
    assert form.rows["model.latent_dim"].value() == 12
    assert form.recipe().training.lr == 0.5
    form.header.revert.click()
    assert form.recipe() == recipe


def test_loading_a_recipe_tells_once(form, qtbot):
    seen = []
    form.recipe_changed.connect(lambda: seen.append(form.recipe()))
    recipe = validate({"data": {"spec": "arena", "size": [64, 112]}, "model": {"kind": "ae"}})
    form.set_recipe(recipe, "")
    assert seen == [recipe]


def test_other_data_drop_the_crop_of_the_old(form):
    form.set_recipe(validate({"data": {"spec": "video:a.mp4", "crop": [0, 0, 10, 10], "limit": 5}}), "")
    form.set_data("video:b.mp4")
    data = form.recipe().data
    assert (data.spec, data.crop, data.limit) == ("video:b.mp4", None, None)


def test_while_training_only_live_settings_can_be_edited(form):
    form.set_recipe(validate({"model": {"kind": "vaegan"}, "objective": {"beta": "adaptive"}}), "")
    form.set_locked(True)
    for row in form.rows.values():
        assert row.editor.isEnabled() == row.live, row.key
    assert not form.header.presets.isEnabled()
    form.set_locked(False)
    assert all(row.editor.isEnabled() for row in form.rows.values())


def test_a_live_edit_is_sent_once_and_only_when_valid(form, qtbot):
    form.set_recipe(validate({"objective": {"beta": "adaptive"}}), "")
    form.set_locked(True)
    editor = form.rows["objective.target_kld"].editor
    with qtbot.waitSignal(form.live_changed) as blocker:
        editor.setText("0.")
        editor.setText("0.2")
        editor.setText("0.25")
    assert blocker.args == ["objective.target_kld", 0.25]
    editor.setText("-1")
    with qtbot.assertNotEmitted(form.live_changed, wait=250):
        pass


def test_an_edit_before_training_is_not_live(form, qtbot):
    with qtbot.assertNotEmitted(form.live_changed, wait=250):
        form.rows["training.lr"].set_value(0.01)


def test_folds_come_back(form, qtbot):
    form.sections[3].fold.setChecked(True)
    other = RecipeForm()
    qtbot.addWidget(other)
    other.restore_state(form.save_state())
    assert [section.fold.isChecked() for section in other.sections] == [False, False, False, True]
    other.restore_state({"open": 3})
    assert not any(section.fold.isChecked() for section in other.sections)


def test_scrolling_past_a_field_does_not_change_it(form):
    editor = form.rows["model.latent_dim"].editor
    before = editor.value()
    editor.clearFocus()
    wheel = QWheelEvent(
        QPointF(5, 5),
        QPointF(editor.mapToGlobal(QPoint(5, 5))),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(editor, wheel)
    assert editor.value() == before


@pytest.mark.parametrize(
    ("number", "up", "down"),
    [(1.0, 2.0, 0.5), (0.001, 0.002, 0.0005), (3.0, 5.0, 2.0), (5.0, 10.0, 2.0), (0.07, 0.1, 0.05), (10.0, 20.0, 5.0)],
)
def test_numbers_step_along_one_two_five(number, up, down):
    assert one_two_five(number, 1) == pytest.approx(up)
    assert one_two_five(number, -1) == pytest.approx(down)


def test_arrow_keys_step_a_number(qtbot):
    editor = NumberEditor()
    qtbot.addWidget(editor)
    editor.set_value(1e-3)
    QTest.keyClick(editor, Qt.Key.Key_Up)
    assert editor.value() == pytest.approx(2e-3)
    editor.setText("fast")
    QTest.keyClick(editor, Qt.Key.Key_Up)
    assert editor.text() == "fast"


@pytest.mark.parametrize(("text", "value"), [("1e-3", 1e-3), (" 0.5 ", 0.5), ("", None), ("x", "x")])
def test_numbers_are_read_as_written(qtbot, text, value):
    editor = NumberEditor(empty="none")
    qtbot.addWidget(editor)
    editor.setText(text)
    assert editor.value() == value


def test_arrows_of_a_count_stay_within_bounds_and_its_unit_has_a_singular(qtbot):
    editor = CountEditor(1, 1000, "frames")
    qtbot.addWidget(editor)
    editor.set_value(1)
    assert editor.text() == "1 frame"
    editor.stepBy(-1)
    assert editor.value() == 1
    editor.set_value(500)
    assert editor.text() == "500 frames"
    editor.stepBy(1)
    assert editor.value() == 510
    editor.set_value(1000)
    editor.stepBy(1)
    assert editor.value() == 1000


def test_an_error_leaves_out_what_stands_beside_it():
    assert (
        short_error("training.lr", "training.lr = 2: input should be less than or equal to 1") == "Must be at most 1."
    )


@pytest.mark.parametrize("width", [304, 344, 500])
def test_a_long_story_is_never_cut(form, width):
    form.resize(width, 700)
    form.set_recipe(Recipe(story="A recipe with a long story to tell. " * 5), "long")
    QApplication.processEvents()
    story = form.header.story
    assert story.height() >= story.heightForWidth(story.width())
    assert story.geometry().bottom() < form.header.height()
