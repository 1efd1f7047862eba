"""A bug in one widget is reported and the app stays up."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from latentlab.ui.guard import guard


def broken() -> type[QLabel]:
    class Broken(QLabel):
        def resizeEvent(self, event):
            int("not a number")  # raised by C code, which is what crashes unguarded

        def sizeHint(self):
            return QSize([][1], 0)

    return Broken


@pytest.fixture
def reported(monkeypatch):
    errors: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _type, error, _traceback: errors.append(error))
    return errors


def test_a_broken_override_is_reported_and_the_base_class_takes_over(qtbot, reported):
    Broken = broken()
    guard(Broken)
    host = QWidget()
    qtbot.addWidget(host)
    layout = QVBoxLayout(host)
    label = Broken("text")
    layout.addWidget(label)
    host.resize(200, 100)
    assert not host.grab().isNull()
    assert {type(error) for error in reported} == {ValueError, IndexError}
    assert label.sizeHint() == QLabel("text").sizeHint()


def test_guarding_twice_changes_nothing(reported):
    Broken = broken()
    guard(Broken)
    once = Broken.resizeEvent
    guard(Broken)
    assert Broken.resizeEvent is once
    assert reported == []
