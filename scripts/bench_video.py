"""How quickly the Video page answers; ``bench.py`` runs each part in a process of its own.

``python bench_video.py scrub OUT SCRUBS``   slider move until all three panes are drawn, the clip prepared, in training
``python bench_video.py cold OUT SCRUBS``    the same in 1080p H.264 with keyframes 250 apart, nothing prepared
``python bench_video.py build OUT TIMES``    frames a second of preparing clips, beside OpenCV reading the same files
``python bench_video.py long OUT SECONDS``   opening two hours of film, then preparing, measuring and scrubbing in it
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from latentlab.core.video_messages import VideoFrame
    from latentlab.ui.main_window import MainWindow
    from latentlab.ui.pages.video import VideoPage

GAME = (64, 121)
"""Height and width of a gameplay clip's picture."""
PAUSE_MS = 60
"""Between two moves: a hand rests, and the window may draw what else it has to."""


def write_game(path: Path, frames: int = 3000) -> Path:
    """Write a clip of two 121x64 pictures side by side that move, as H.264 with keyframes 190 apart."""
    return _write(path, (242, 64), frames, {"g": "190", "bf": "2", "preset": "veryfast"})


def write_large(path: Path, frames: int = 500) -> Path:
    """Write a 1080p clip in H.264 with keyframes 250 apart."""
    options = {"g": "250", "keyint_min": "250", "sc_threshold": "0", "bf": "2", "preset": "veryfast"}
    return _write(path, (1920, 1080), frames, options)


def _write(path: Path, size: tuple[int, int], frames: int, options: dict[str, str]) -> Path:
    import av
    import cv2

    width, height = size
    chooser = np.random.default_rng(0)
    coarse = chooser.integers(0, 200, (height // 16 + 8, width // 16 + 24, 3), dtype=np.uint8)
    ground = cv2.resize(coarse, (width + 360, height + 100), interpolation=cv2.INTER_CUBIC)
    ground = cv2.add(ground, chooser.integers(0, 40, ground.shape, dtype=np.uint8))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            down, across = number % 100, number * 3 % 360
            picture = np.ascontiguousarray(ground[down : down + height, across : across + width])
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))
    return path


def write_long(path: Path, hours: float = 2.0, size: tuple[int, int] = (640, 360)) -> Path:
    """Write a film of so many hours, 30 frames a second: 20 s encoded once, and their packets again and again."""
    import av

    piece = _write(path.with_name(f"piece-{path.name}"), size, 600, {"g": "250", "bf": "2", "crf": "30"})
    with av.open(str(piece)) as source, av.open(str(path), "w") as output:
        track = source.streams.video[0]
        stream = output.add_stream_from_template(track)
        packets = [packet for packet in source.demux(track) if packet.size]
        first = min(packet.pts for packet in packets)
        ticks = round(20 / packets[0].time_base)
        for turn in range(round(hours * 180)):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.pts, again.dts = (time - first + turn * ticks for time in (packet.pts, packet.dts))
                again.time_base, again.is_keyframe, again.stream = packet.time_base, packet.is_keyframe, stream
                output.mux(again)
    piece.unlink()
    return path


def memory_mb() -> float:
    """Return the memory of this process in MB: what it holds now, or where that is not told, ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Scrubber(QObject):
    """Moves the slider to random frames, one after the other, and notes when each was drawn.

    ``reopen`` opens the clip again before each move, so that nothing is prepared of it.
    """

    done = Signal()

    def __init__(self, page: VideoPage, scrubs: int, *, reopen: Path | None = None) -> None:
        super().__init__()
        self.page, self.left, self.reopen = page, scrubs, reopen
        self.nearest_ms: list[float] = []
        self.exact_ms: list[float] = []
        self._chooser = np.random.default_rng(1)
        self._wanted, self._asked, self._near = -1, 0.0, False
        page.frame_shown.connect(self._on_shown)

    @Slot()
    def go_on(self) -> None:
        """Begin the next move, or end."""
        if self.left == 0:
            self.done.emit()
            return
        self.left -= 1
        if self.reopen is None:
            self._move()
        else:
            self._wanted = 0
            self.page.open_video(self.reopen)

    def _move(self) -> None:
        """Go somewhere else, as a hand on the slider does."""
        frames = self.page.timeline.maximum() + 1
        self._wanted = (self.page.timeline.value() + int(self._chooser.integers(1, frames))) % frames
        self._near, self._asked = False, time.perf_counter()
        self.page.timeline.setValue(self._wanted)

    @Slot(object)
    def _on_shown(self, frame: VideoFrame) -> None:
        if frame.wanted != self._wanted or frame.reconstruction is None:
            return
        if self.reopen is not None and self._wanted == 0:
            self._wanted = -1
            QTimer.singleShot(PAUSE_MS, self._move)
            return
        self.page.panes.repaint()  # What is timed ends when the pixels are there, not when they are due.
        took = (time.perf_counter() - self._asked) * 1000
        if not self._near:
            self.nearest_ms.append(took)
            self._near = True
        if frame.exact:
            self.exact_ms.append(took)
            self._wanted = -1
            QTimer.singleShot(PAUSE_MS, self.go_on)


class Measure(QObject):
    """Scrubs in a window that trains (``prepared``) or has trained for some steps."""

    def __init__(self, out: Path, clip: Path, scrubs: int, *, prepared: bool) -> None:
        super().__init__()
        self.out, self.clip, self.scrubs, self.prepared = out, clip, scrubs, prepared
        self._scrubber: Scrubber | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_timer)

    def __call__(self, window: MainWindow) -> None:
        """Begin once the window is on screen."""
        self.window = window
        self._timer.start(100)

    @Slot()
    def _on_timer(self) -> None:
        training, page = self.window.context.training, self.window.area.page("videoPage")
        settled = self.prepared or not training.state.active
        if training.weights.peek()[1] is None or page is None or not settled:
            return
        if page.clip is None:
            self.window.show_page("videoPage")
            page.open_video(self.clip)
            self._timer.setInterval(2000)
            return
        proxy, shown = page.service.proxy, page.shown
        if proxy is None or shown is None or shown.reconstruction is None or (self.prepared and not proxy.complete):
            return
        self._timer.stop()
        self._scrubber = Scrubber(page, self.scrubs, reopen=None if self.prepared else self.clip)
        self._scrubber.done.connect(self._finish)
        self._scrubber.go_on()

    @Slot()
    def _finish(self) -> None:
        assert self._scrubber is not None
        found = {"nearest_ms": self._scrubber.nearest_ms, "exact_ms": self._scrubber.exact_ms}
        self.out.write_text(json.dumps(found))
        self.window.close()


class Long(QObject):
    """Opens a long film in a window that has trained for some steps, and goes on looking at it for ``seconds``."""

    def __init__(self, out: Path, clip: Path, seconds: int) -> None:
        super().__init__()
        self.out, self.clip, self.seconds = out, clip, seconds
        self._before = self._most = self._asked = self._opened_s = self._drawn_s = 0.0
        self._chooser = np.random.default_rng(1)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_timer)

    def __call__(self, window: MainWindow) -> None:
        """Begin once the window is on screen."""
        self.window = window
        self._timer.start(50)

    @Slot()
    def _on_timer(self) -> None:
        if not self._asked:
            self._open()
            return
        self._most = max(self._most, memory_mb())
        page, now = self.page, time.perf_counter()
        if self._drawn_s and now - self._asked > self.seconds:
            self._timer.stop()
            self._finish()
        elif self._drawn_s and now > self._due:
            self._due = now + 1.0
            page.timeline.setValue(int(self._chooser.integers(0, page.timeline.maximum())))

    def _open(self) -> None:
        training, page = self.window.context.training, self.window.area.page("videoPage")
        if training.weights.peek()[1] is None or page is None or training.state.active:
            return
        self.page, self._due = page, 0.0
        self.window.show_page("videoPage")
        page.service.opened.connect(self._on_opened)
        page.frame_shown.connect(self._on_shown)
        self._before, self._asked = memory_mb(), time.perf_counter()
        page.open_video(self.clip)

    @Slot(object)
    def _on_opened(self, _info: object) -> None:
        self._opened_s = time.perf_counter() - self._asked

    @Slot(object)
    def _on_shown(self, frame: VideoFrame) -> None:
        if not self._drawn_s and frame.reconstruction is not None:
            self.page.panes.repaint()
            self._drawn_s = time.perf_counter() - self._asked

    def _finish(self) -> None:
        proxy, curve = self.page.service.proxy, self.page.errors.curve
        found = {
            "open_s": self._opened_s,
            "drawn_s": self._drawn_s,
            "more_mb": self._most - self._before,
            "before_mb": self._before,
            "frames": self.page.timeline.maximum() + 1,
            "prepared": proxy.available if proxy is not None else 0,
            "measured": curve.done if curve is not None else 0,
        }
        self.out.write_text(json.dumps(found))
        self.window.close()


def scrub(out: Path, scrubs: int, *, prepared: bool) -> int:
    """Scrub through a clip in the window."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = write_game(folder / "game.mp4") if prepared else write_large(folder / "large.mp4")
        film = clip if prepared else write_game(folder / "train.mp4", 200)
        measure = Measure(out, clip, scrubs, prepared=prepared)
        return _run(folder, film, 10**6 if prepared else 10, measure)


def open_long(out: Path, seconds: int) -> int:
    """Open two hours of film in the window."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip, film = write_long(folder / "long.mp4"), write_game(folder / "train.mp4", 200)
        return _run(folder, film, 10, Long(out, clip, seconds))


def _run(folder: Path, film: Path, steps: int, measure: Callable[[MainWindow], None]) -> int:
    """Train on a film in a window, and hand the window over once it is on screen."""
    from latentlab.app import run_app
    from latentlab.core.recipe_io import apply_settings, find_recipe, recipe_toml

    settings = [f"data.spec=video:{film}", "data.size=[64,121]", "data.crop=[0,0,121,64]", f"training.steps={steps}"]
    recipe = folder / "bench.toml"
    recipe.write_text(recipe_toml(apply_settings(find_recipe("vae-arena"), settings)))
    os.environ["LATENTLAB_CACHE"] = str(folder / "cache")
    return run_app(recipe=str(recipe), runs_root=folder / "runs", page="video", on_first_paint=measure)


def build(out: Path, times: int) -> int:
    """Prepare clips and read them with OpenCV, by turns, so that both meet the same machine."""
    import cv2

    from latentlab.data.proxy import Proxy
    from latentlab.data.video_index import build_index
    from latentlab.data.video_shape import FrameShape

    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["LATENTLAB_CACHE"] = str(folder / "cache")
        game, large = write_game(folder / "game.mp4"), write_large(folder / "large.mp4", 250)
        for kind, path in (("game", game), ("1080p", large)):
            index = build_index(path)
            for number in range(times + 1):
                frames, began = 0, time.perf_counter()
                capture = cv2.VideoCapture(str(path))
                while capture.read()[0]:
                    frames += 1
                capture.release()
                plain = frames / (time.perf_counter() - began)
                # From another place each time: what was prepared before lies in the cache.
                shape = (
                    FrameShape((number, 0, 121, 64), GAME) if kind == "game" else FrameShape(None, (64, 121 - number))
                )
                proxy = Proxy(path, index, shape)
                began = time.perf_counter()
                proxy.build()
                own = proxy.frames / (time.perf_counter() - began)
                proxy.close()
                if number:  # The first turn warms disk and caches.
                    for key, value in (("fps", own), ("opencv_fps", plain), ("ratio", own / plain)):
                        rates.setdefault(f"{kind}.{key}", []).append(value)
    out.write_text(json.dumps(rates))
    return 0


def main() -> int:
    """Measure one part."""
    what, out, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if what in ("build", "long"):
        return build(out, count) if what == "build" else open_long(out, count)
    return scrub(out, count, prepared=what == "scrub")


if __name__ == "__main__":
    sys.exit(main())
