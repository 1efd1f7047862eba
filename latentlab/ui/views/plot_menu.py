"""What can be done with a plot: copy its values, save its picture, reset it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QGuiApplication, QPainter, QPixmap
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QMenu

from latentlab.core.errors import InputError
from latentlab.core.paths import screenshots_dir
from latentlab.ui import icons, style

if TYPE_CHECKING:
    from latentlab.ui.views.plot import MetricPlot

MAX_ROWS = 200_000
_SAVED_RATIO = 2


def build(plot: MetricPlot) -> QMenu:
    """Return the context menu of a plot."""
    menu = QMenu(plot)
    menu.setToolTipsVisible(True)
    log = menu.addAction("Logarithmic y axis")
    log.setCheckable(True)
    log.setChecked(plot.log)
    log.toggled.connect(plot.set_log)
    menu.addAction("Fit y", plot.fit_y).setEnabled(plot.area.y_by_hand)
    follow = menu.addAction(icons.icon("follow"), "Follow newest, reset zoom", plot.group.follow_newest)
    follow.setToolTip("Show the whole run again and keep up with it (double click).")
    marks = menu.addAction("Mark changes and checkpoints")
    marks.setCheckable(True)
    marks.setChecked(plot.group.shows_events)
    marks.setToolTip("Lines where a setting was changed, ticks where a checkpoint was written, on all plots.")
    marks.toggled.connect(plot.group.show_events)
    clear = menu.addAction("Clear the selection", lambda: plot.group.select(0.0, 0.0))
    clear.setEnabled(plot.group.selection is not None)
    clear.setToolTip("Ctrl and drag selects a range, whose means then stand over the plots.")
    if plot.group.menu_extras is not None:
        menu.addSeparator()
        plot.group.menu_extras(menu, plot)
    menu.addSeparator()
    copy = menu.addAction(icons.icon("copy"), "Copy values as CSV", lambda: copy_csv(plot))
    copy.setToolTip("Every logged value of the steps in view, one row per step.")
    menu.addAction(icons.icon("image"), "Copy picture", lambda: QGuiApplication.clipboard().setPixmap(grab(plot)))
    menu.addAction(icons.icon("save"), "Save picture…", lambda: ask_and_save(plot))
    return menu


def csv_text(plot: MetricPlot) -> str:
    """Return the logged values in view: a ``step`` column, then one per metric, empty where not logged."""
    first, last = plot.visible_steps()
    columns: list[dict[float, float]] = []
    names = []
    for curve in plot.curves:
        steps, values, _ = plot.group.history.window(curve.spec.metric, first, last, MAX_ROWS)
        inside = (steps >= first) & (steps <= last)
        if inside.any():
            names.append(curve.spec.metric)
            columns.append(dict(zip(steps[inside].tolist(), values[inside].tolist(), strict=True)))
    rows = sorted({step for column in columns for step in column})
    lines = [",".join(["step", *names])]
    for step in rows:
        cells = [repr(column[step]) if step in column else "" for column in columns]
        lines.append(",".join([f"{step:.0f}", *cells]))
    return "\n".join(lines) + "\n"


def copy_csv(plot: MetricPlot) -> None:
    """Put ``csv_text`` on the clipboard."""
    QGuiApplication.clipboard().setText(csv_text(plot))


def grab(plot: MetricPlot) -> QPixmap:
    """Return a picture of the plot at twice the screen's resolution."""
    picture = QPixmap(plot.size() * _SAVED_RATIO)
    picture.setDevicePixelRatio(_SAVED_RATIO)
    picture.fill(style.colour("window"))
    plot.render(picture, QPoint(0, 0))
    return picture


def save(plot: MetricPlot, path: Path) -> None:
    """Write the plot to ``path``: vectors for ``.svg``, pixels for anything else.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    if path.suffix.lower() == ".svg":
        generator = QSvgGenerator()
        generator.setFileName(str(path))
        generator.setSize(plot.size())
        generator.setViewBox(QRect(QPoint(0, 0), plot.size()))
        generator.setTitle(plot.spec.title)
        painter = QPainter()
        done = painter.begin(generator)
        if done:
            painter.fillRect(plot.rect(), style.colour("window"))
            plot.render(painter, QPoint(0, 0))
            painter.end()
    else:
        done = grab(plot).save(str(path))
    if not done:
        raise InputError("the picture could not be written", where=str(path), hint="Choose another folder or ending.")


def ask_and_save(plot: MetricPlot) -> None:
    """Ask where to save the picture of a plot, and save it."""
    step = plot.group.history.span()
    name = f"{plot.spec.key}-{round(step[1]) if step else 0}.png"
    chosen, _ = QFileDialog.getSaveFileName(
        plot, "Save plot", str(screenshots_dir() / name), "Picture (*.png);;Vector graphics (*.svg)"
    )
    if chosen:
        save(plot, Path(chosen))
