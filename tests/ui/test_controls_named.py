"""Every control of every page says what it does: to the pointer, and to a screen reader."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from monitor_bench import GAN, fill, preview, recipe
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QWidget,
)

from latentlab.ui.page import Page

CONTROLS = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)


@pytest.fixture
def window(real_window):
    return real_window


def controls(root: QWidget) -> Iterator[QWidget]:
    """Yield what takes the keyboard by Tab, or clicks; not the parts that Qt itself puts into a control."""
    for widget in root.findChildren(QWidget):
        inner = isinstance(widget, QLineEdit) and isinstance(widget.parent(), QAbstractSpinBox)
        internal = inner or isinstance(widget, QScrollBar | Page) or widget.window() is not root
        internal |= widget.objectName().startswith("qt_")
        by_tab = widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
        if not internal and (by_tab or isinstance(widget, CONTROLS)):
            yield widget


def test_every_control_has_a_tooltip_and_a_name(window):
    session = window.context.training
    session.recipe = recipe("vaegan")
    fill(session, GAN)
    session.previews.put(preview())
    monitor = window.area.page("monitorPage")
    window.show_page("monitorPage")
    monitor._slow_at = 0.0
    monitor.tick()
    assert monitor.grid.findChildren(QWidget)
    found = list(controls(window))
    assert len(found) > 100
    silent = [
        f"{type(widget).__name__} {widget.objectName()!r} in {type(widget.parent()).__name__}: "
        f"tooltip {widget.toolTip()!r}, name {widget.accessibleName()!r}"
        for widget in found
        if not widget.toolTip() or not (widget.accessibleName() or getattr(widget, "text", str)())
    ]
    assert not silent, "\n".join(silent)


def test_tab_leads_through_the_settings_and_is_never_caught(window):
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    window.form.header.presets.setFocus()
    seen: list[QWidget] = []
    while (focused := QApplication.focusWidget()) not in seen:
        seen.append(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    fields = [row.first_field() for row in window.form.rows.values() if row.isVisible()]
    assert len(fields) > 10
    assert all(field in seen for field in fields)


def test_the_window_fits_a_small_screen(window):
    """1024 x 768 and the panel open; text gives way to ellipses before the window leaves the screen."""
    hint = window.minimumSizeHint()
    assert hint.width() <= 1024
    assert hint.height() <= 700
