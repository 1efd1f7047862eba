"""The open video as the window sees it: ask for a frame, poll the newest answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal, Slot

from latentlab.core.errors import Cancelled
from latentlab.core.mailbox import LatestSlot, Mailbox
from latentlab.core.messages import ErrorReport, Ints, Progress, WeightSnapshot
from latentlab.core.video_messages import ErrorCurve, FilmFrame, VideoFrame, VideoInfo, VideoView
from latentlab.runtime.shutdown import Service
from latentlab.runtime.threads import step_aside
from latentlab.runtime.video_compare import CompareService
from latentlab.runtime.video_worker import FrameEditor, FrameRequest, VideoSlots, VideoWorker

if TYPE_CHECKING:
    from latentlab.data.proxy import Proxy

FOLLOW_S = 0.2
"""A standing picture follows the training this often at most."""
FILM_AFTER_S = 0.04
"""The whole frame is decoded when no other frame was asked for during this time."""
IDLE_S = 0.5
SHARE, SHARE_IN_TRAINING = 0.85, 0.3
"""Share of the time that measuring the error curve may take, alone and beside a trainer."""


@dataclass(frozen=True, slots=True)
class _Call:
    """Something for the video thread to do; ``what`` names it in an error report."""

    run: Callable[[], None]
    what: str


class ProxyThread(QThread):
    """Builds one proxy at a time; a newer job ends the one in hand. The object lives in the GUI thread."""

    failed = Signal(object)  # ErrorReport
    built = Signal()

    def __init__(self, progress: LatestSlot[Progress], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("video-proxy")
        self.progress = progress
        self._jobs: Mailbox[tuple[int, Proxy | None]] = Mailbox()
        self._newest = 0

    def build(self, proxy: Proxy | None) -> None:
        """Build this proxy instead of the one in hand; None only stops. Thread: video."""
        self._newest += 1
        self._jobs.post("build", (self._newest, proxy))
        if not self.isRunning() and not self._jobs.closed:
            self.start()

    def close(self) -> None:
        """End after the frame in hand. Thread: any."""
        self._newest += 1
        self._jobs.close()

    def run(self) -> None:
        """Build until closed. Thread: proxy."""
        step_aside()
        while not self._jobs.closed:
            taken = self._jobs.take()
            if taken is not None:
                self._work_on(*taken[1])

    def _work_on(self, number: int, proxy: Proxy | None) -> None:
        def tell(progress: Progress) -> None:
            if number != self._newest or self._jobs.closed:
                raise Cancelled
            self.progress.put(progress)

        try:
            if proxy is not None:
                proxy.build(tell)
                self.built.emit()
        except Cancelled:
            return
        except Exception as error:  # noqa: BLE001 - the thread lives on and the window is told.
            self.failed.emit(ErrorReport.of(error, "preparing the video"))
        finally:
            self.progress.clear()


class VideoThread(QThread):
    """Owns the open video and answers requests, newest first. The object lives in the GUI thread."""

    opened = Signal(int, object)  # number of the call to open, VideoInfo
    corrected = Signal(object)  # VideoInfo
    failed = Signal(object)  # ErrorReport

    def __init__(self, worker: VideoWorker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("video")
        self.worker = worker
        self.active = True
        self.measures = True
        self._calls: Mailbox[_Call] = Mailbox()
        worker.newer = self._newer

    def _newer(self) -> bool:
        """Whether another frame or film is wanted by now. Thread: video."""
        return self._calls.waiting("show") or self._calls.waiting("open")

    def post(self, key: str, what: str, call: Callable[[], None]) -> None:
        """Have ``call`` run in the thread, in place of one of the same key still waiting. Thread: GUI."""
        self._calls.post(key, _Call(call, what))
        if not self.isRunning() and not self._calls.closed:
            self.start()

    def drop(self, key: str) -> None:
        """Forget a call still waiting. Thread: GUI."""
        self._calls.drop(key)

    def close(self) -> None:
        """End after the call in hand. Thread: any."""
        self._calls.close()

    def run(self) -> None:
        """Serve until closed. Thread: video."""
        wait_s = IDLE_S
        while not self._calls.closed:
            taken = self._calls.take(wait_s)
            wait_s = FILM_AFTER_S
            if taken is not None:
                self._guarded(taken[1])
            elif not self._calls.closed:
                wait_s = self._use_the_quiet()
            info = self.worker.corrected()
            if info is not None:
                self.corrected.emit(info)
        self.worker.release()

    def _use_the_quiet(self) -> float:
        """Do what may wait; return for how long to leave the machine to others."""
        began = time.perf_counter()
        busy = [False]

        def work() -> None:
            worker = self.worker
            looked_at = worker.show_film() or (self.active and worker.find_scenes())
            busy[0] = looked_at or (self.active and self.measures and worker.measure())

        if not self._guarded(_Call(work, "measuring the video")):
            self.worker.give_up_background()
        took = time.perf_counter() - began
        if busy[0]:
            share = SHARE_IN_TRAINING if self.worker.replica.training else SHARE
            return took * (1 - share) / share
        return IDLE_S if self.worker.settled else IDLE_S / 5

    def _guarded(self, call: _Call) -> bool:
        try:
            call.run()
        except Exception as error:  # noqa: BLE001 - the thread lives on and the window is told.
            self.failed.emit(ErrorReport.of(error, call.what))
            return False
        return True


class VideoService(QObject):
    """One open video. Frames are asked for by number; the newest wish wins and nothing queues.

    Poll ``frame``, ``film``, ``curve`` and ``progress``; only rare facts are signals.

    Thread: GUI, except the slots, which any thread may read. The work is done in two threads of its
    own, started with the first video.
    """

    opened = Signal(object)  # VideoInfo
    corrected = Signal(object)  # VideoInfo: the file holds fewer frames than it promised
    failed = Signal(object)  # ErrorReport, once for each thing that is wrong
    closed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.frame: LatestSlot[VideoFrame] = LatestSlot()
        self.film: LatestSlot[FilmFrame] = LatestSlot()
        self.curve: LatestSlot[ErrorCurve] = LatestSlot()
        self.scenes: LatestSlot[Ints] = LatestSlot()
        self.progress: LatestSlot[Progress] = LatestSlot()
        self.info: VideoInfo | None = None
        self._proxies = ProxyThread(self.progress, self)
        self._worker = VideoWorker(VideoSlots(self.frame, self.film, self.curve, self.scenes), self._proxies.build)
        self._thread = VideoThread(self._worker, self)
        self._thread.opened.connect(self._on_opened)
        self._thread.corrected.connect(self._on_corrected)
        self._thread.failed.connect(self._on_failed)
        self.compare = CompareService(self)
        self.compare.failed.connect(self._on_failed)
        self._proxies.failed.connect(self._on_failed)
        self._weights: LatestSlot[WeightSnapshot] | None = None
        self._followed = (-1, 0.0)
        self._wanted = 0
        self._generation = 0
        self._openings = 0
        self._view = VideoView()
        self._told: set[str] = set()
        self._companions: list[Service] = []
        self._over = False

    def bind(self, weights: LatestSlot[WeightSnapshot]) -> None:
        """Reconstruct with the newest weights of this slot."""
        self._weights = weights
        self._followed = (-1, 0.0)  # Another slot may have the same version.
        self._worker.replica.weights = weights

    @property
    def snapshot(self) -> WeightSnapshot | None:
        """The weights that frames are reconstructed with."""
        return self._weights.get()[1] if self._weights is not None else None

    def snapshot_of(self, step: int, taken_at: float) -> WeightSnapshot | None:
        """Return the weights behind a frame that is on screen, where they are still at hand."""
        snapshot = self._worker.replica.snapshot
        found = snapshot is not None and (snapshot.step, snapshot.taken_at) == (step, taken_at)
        return snapshot if found else None

    def open(self, path: Path) -> None:
        """Open a video in place of the one before; ``opened`` or ``failed`` follows."""
        if self._over:
            return
        self._forget()
        self._openings += 1
        thread, worker, number = self._thread, self._worker, self._openings

        def call() -> None:
            thread.opened.emit(number, worker.open(path))

        thread.post("open", f"opening {path.name}", call)

    def close(self) -> None:
        """Close the video, if one is open."""
        if self.info is not None:
            self._forget()
            self._openings += 1
            self._thread.post("open", "closing the video", self._worker.close)
            self.closed.emit()

    def show(self, index: int) -> int:
        """Ask for frame ``index`` (kept within the video) and return the generation its answer will carry."""
        self._generation += 1
        self._wanted = index
        if self.info is not None and not self._over:
            request = FrameRequest(index, self._generation, self._view)
            worker = self._worker
            self._followed = (self._weights.version if self._weights is not None else -1, time.monotonic())
            self._thread.post("show", f"showing frame {index}", lambda: worker.show(request))
        return self._generation

    def follow(self) -> bool:
        """Ask for the same frame again when the weights moved; return whether it did. Call it on a poll."""
        if self._weights is None or self.info is None:
            return False
        version, at = self._followed
        if self._weights.version == version or time.monotonic() - at < FOLLOW_S:
            return False
        self.show(self._wanted)
        return True

    def set_view(self, view: VideoView) -> int:
        """Change crop or difference and show the frame again; return the generation of the answer."""
        self._view = view
        self._told.clear()
        return self.show(self._wanted)

    @property
    def proxy(self) -> Proxy | None:
        """The frames at the model's size, as far as there are any. It is replaced with film, model and crop."""
        return self._worker.proxy

    def set_editor(self, editor: FrameEditor | None) -> None:
        """Show what ``editor`` makes of each frame as well; None shows no edit any more."""
        self._worker.editor = editor
        self._told.clear()
        self.show(self._wanted)

    def refresh_curve(self) -> None:
        """Measure the error of every frame again with the newest weights."""
        self._thread.post("curve", "measuring the video", self._worker.restart_curve)

    def set_active(self, active: bool) -> None:
        """Say whether anybody looks: the error curve is only measured for somebody."""
        self._thread.active = active

    def add_companion(self, companion: Service) -> None:
        """Leave measuring to a service that does it beside the video thread; it ends with this one."""
        self._companions.append(companion)
        self._thread.measures = False

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """End both threads after what they have in hand; return whether they have ended."""
        self._over = True
        self._proxies.close()
        self._thread.close()
        self.compare.close()
        threads = (self._thread, self._proxies, self.compare.thread_in_use)
        waits: list[Callable[[int], bool]] = [thread.wait for thread in threads]
        waits += [companion.shutdown for companion in self._companions]
        until = time.monotonic() + timeout_ms / 1000
        # A list first: every one is waited for, whatever became of those before it.
        ended = [wait(max(0, round((until - time.monotonic()) * 1000))) for wait in waits]
        return all(ended)

    def _forget(self) -> None:
        self.info = None
        self._wanted = 0
        self._told.clear()
        self._thread.drop("show")
        self.frame.clear()
        self.film.clear()
        self.curve.clear()
        self.scenes.clear()
        self.compare.forget()

    @Slot(int, object)
    def _on_opened(self, number: int, info: VideoInfo) -> None:
        if self._over or number != self._openings:  # Another was asked for meanwhile.
            return
        self.info = info
        self.opened.emit(info)
        self.show(self._wanted)

    @Slot(object)
    def _on_corrected(self, info: VideoInfo) -> None:
        if not self._over and self.info is not None and self.info.path == info.path:
            self.info = info
            self.corrected.emit(info)

    @Slot(object)
    def _on_failed(self, report: ErrorReport) -> None:
        if not self._over and report.what not in self._told:
            self._told.add(report.what)
            self.failed.emit(report)
