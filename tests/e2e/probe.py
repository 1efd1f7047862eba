"""latentlab as its users start it, plus a window into it: one JSON question a line in, one JSON answer a line out.

The probe only looks. Everything that happens in the window comes through the window system.
Run as ``python probe.py [latentlab arguments]``; the answers are on standard output.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPoint, QRect, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QApplication, QSlider, QToolButton, QWidget

from latentlab import cli
from latentlab.app import run_app


class Probe(QObject):
    """Answers questions about the window in the GUI thread."""

    asked = Signal(str)

    def __init__(self, window: Any) -> None:
        super().__init__()
        self.window = window
        self.asked.connect(self._answer)
        threading.Thread(target=self._listen, daemon=True).start()
        self._say({"ready": True})

    def _listen(self) -> None:
        for line in sys.stdin:
            self.asked.emit(line)

    def _say(self, answer: dict[str, Any]) -> None:
        print(json.dumps(answer), flush=True)

    @Slot(str)
    def _answer(self, line: str) -> None:
        question = json.loads(line)
        try:
            self._say(getattr(self, "ask_" + question.pop("ask"))(**question))
        except Exception as error:
            self._say({"error": f"{type(error).__name__}: {error}"})

    def _widget(self, name: str) -> QWidget:
        for top in QApplication.topLevelWidgets():
            for widget in [top, *top.findChildren(QWidget)]:
                if widget.isVisible() and widget.objectName() == name:
                    return widget
        action = self.window.findChild(QAction, name)
        if action is not None:
            for button in self.window.findChildren(QToolButton):
                if button.isVisible() and button.defaultAction() is action:
                    return button
        raise LookupError(f"nothing visible is called {name}")

    def ask_rect(self, name: str) -> dict[str, Any]:
        """Where a widget is on the screen, as far as it can be seen: x, y, width, height."""
        widget = self._widget(name)
        seen = widget.visibleRegion().boundingRect()
        corner = widget.mapToGlobal(QPoint(0, 0))
        rect = QRect(corner + seen.topLeft(), seen.size())
        return {"rect": rect.getRect(), "full": [corner.x(), corner.y(), widget.width(), widget.height()]}

    def ask_training(self) -> dict[str, Any]:
        """State, step and run of the training."""
        training = self.window.context.training
        status = training.status.get()[1]
        info = training.info
        return {
            "state": training.state.value,
            "step": status.step if status else 0,
            "run": str(info.run) if info and info.run else None,
            "kind": info.kind if info else None,
            "metrics": training.history.names(),
        }

    def ask_page(self) -> dict[str, Any]:
        """Object name of the page shown."""
        page = self.window.area.current_page()
        return {"page": page.objectName() if page else None}

    def ask_visible(self, name: str) -> dict[str, Any]:
        """Whether a widget of that name can be seen."""
        try:
            return {"visible": self._widget(name).isVisible()}
        except LookupError:
            return {"visible": False}

    def ask_picture(self, name: str, file: str) -> dict[str, Any]:
        """Write the picture a view shows, at its source resolution, as PNG."""
        image = self._widget(name).image()
        return {"saved": image is not None and image.save(file)}

    def ask_pane(self, name: str, file: str) -> dict[str, Any]:
        """Write one of the video page's pictures as PNG."""
        image: QImage | None = self.window.area.page("videoPage").panes.picture(name)
        return {"saved": image is not None and image.save(file)}

    def ask_video(self) -> dict[str, Any]:
        """Frame under the slider, and number of frames; none before the file is open."""
        slider = self.window.area.page("videoPage").findChild(QSlider, "videoSlider")
        if slider is None or not slider.isVisible():
            return {"frame": -1, "frames": 0}
        return {"frame": slider.value(), "frames": slider.maximum() + 1}

    def ask_point(self) -> dict[str, Any]:
        """Latent point and class of the Explore page."""
        page = self.window.area.page("explorePage")
        return {"z": [float(v) for v in page.state.point.z], "label": page.state.point.label}

    def ask_class(self) -> dict[str, Any]:
        """Class chosen on the Condition page."""
        return {"label": self.window.area.page("conditionPage").label}

    def ask_messages(self) -> dict[str, Any]:
        """Text of the message area."""
        return {"text": self._widget("messageArea").text()}

    def ask_screen(self, file: str) -> dict[str, Any]:
        """Write what the X server shows: the pixels on the screen, not a render of the widget."""
        return {"saved": QApplication.primaryScreen().grabWindow(0).save(file)}


def main() -> int:
    """Start latentlab with the given arguments and answer until it ends."""
    args = cli.app_parser().parse_args(sys.argv[1:])
    probes: list[Probe] = []
    return run_app(
        args.path,
        demo=args.demo,
        recipe=args.recipe,
        runs_root=args.runs or Path.cwd(),
        page=args.page,
        size=args.size,
        theme=args.theme,
        on_first_paint=lambda window: QTimer.singleShot(0, lambda: probes.append(Probe(window))),
    )


if __name__ == "__main__":
    sys.exit(main())
