"""The row under the timeline: play, step, go to a frame, speed, loop, and what this frame measures."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from latentlab.core.video_messages import VideoInfo
from latentlab.ui import icons, style
from latentlab.ui.pages.video_frame_box import FrameBox
from latentlab.ui.pages.video_playback import SPEEDS
from latentlab.ui.widgets.timeline import format_timecode

BUTTON_WIDTH = 32  # narrow enough for the whole row beside the settings in a window of 1000 pixels


def tool_button(icon: str, name: str, tooltip: str, *, checkable: bool = False) -> QToolButton:
    """Return a flat button with an icon, its tooltip and its accessible name."""
    button = QToolButton()
    icons.set_icon(button, icon)
    button.setAccessibleName(name)
    button.setToolTip(tooltip)
    button.setCheckable(checkable)
    button.setAutoRaise(True)
    button.setFixedWidth(BUTTON_WIDTH)
    # A click must not take the keys from the timeline: space plays, it does not press the last button.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


class VideoTransport(QWidget):
    """Buttons and numbers for moving through a video. It only tells what is wanted; the page acts."""

    play_wanted = Signal()
    step_wanted = Signal(int)  # frames to move by
    frame_wanted = Signal(int)  # frame to go to
    speed_wanted = Signal(float)
    loop_wanted = Signal(bool)
    worst_wanted = Signal()
    measure_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.first = tool_button("first", "First frame", "Go to the first frame (Home)")
        self.back = tool_button("step_back", "Step back", "One frame back (←; Shift 10, Ctrl 100)")
        self.play = tool_button("play", "Play", "Play or pause (Space; J backwards, L forwards, K stop)")
        self.forward = tool_button("step_forward", "Step forward", "One frame on (→; Shift 10, Ctrl 100)")
        self.last = tool_button("last", "Last frame", "Go to the last frame (End)")
        self.loop = tool_button(
            "loop", "Loop", "Begin again at the end, of the range where one is chosen (R)", checkable=True
        )
        self.speed = self._make_speed()
        self.number = self._make_number()
        self.count = self._make_label("of 0", "Frames in the video")
        self.time = self._make_label("", "Time of this frame")
        self.psnr = self._make_label("", "Peak signal-to-noise ratio of this frame's reconstruction, in dB")
        self.psnr.setProperty("role", "value")
        self.worst = QPushButton("Worst")
        self.worst.setAccessibleName("Worst frame")
        self.worst.setToolTip("Go to the frame with the largest error measured so far; again: the next worst (W)")
        self.worst.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.measure = tool_button("reset", "Measure again", "Measure the error of every frame with the newest weights")
        self._arrange()
        self._connect()

    def set_video(self, info: VideoInfo) -> None:
        """Take over the length of a video."""
        self._duration = format_timecode(info.duration_s)
        with QSignalBlocker(self.number):
            self.number.set_times(info.times_s)
        self.count.setText(f"of {info.frames:,}")
        self._hold_width(self.time, self._duration)
        self.time.setToolTip(f"Time of this frame; the video ends at {self._duration}")

    def set_frame(self, frame: int, seconds: float) -> None:
        """Show which frame is on screen."""
        with QSignalBlocker(self.number):
            self.number.setValue(frame)
        self.time.setText(format_timecode(seconds))

    def show_speed(self, speed: float) -> None:
        """Choose a playing speed."""
        place = self.speed.findData(speed)
        if place >= 0:
            self.speed.setCurrentIndex(place)

    def edit_number(self) -> None:
        """Let a frame be typed."""
        self.number.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.number.selectAll()

    def set_psnr(self, decibels: float | None) -> None:
        """Show the quality of the reconstruction on screen."""
        self._psnr = "" if decibels is None else f"{decibels:.2f} dB"
        self._show_psnr()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the quality out where it does not fit; it stands over the reconstruction as well."""
        self._show_psnr()

    def _show_psnr(self) -> None:
        fits = self.psnr.fontMetrics().horizontalAdvance("100.00 dB") <= self.psnr.width()
        self.psnr.setText(self._psnr if fits else "")

    def set_playing(self, playing: bool) -> None:
        """Show whether frames are running."""
        icons.set_icon(self.play, "pause" if playing else "play")
        self.play.setAccessibleName("Pause" if playing else "Play")

    def _make_speed(self) -> QComboBox:
        box = QComboBox()
        for speed in SPEEDS:
            box.addItem(f"{speed:g}×", speed)
        box.setCurrentIndex(SPEEDS.index(1.0))
        box.setFixedWidth(78)
        box.setToolTip("Playing speed, times the video's own; frames that come too late are left out")
        box.setAccessibleName("Playing speed")
        box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return box

    def _make_number(self) -> FrameBox:
        box = FrameBox()
        box.setObjectName("videoFrame")
        box.setFixedWidth(72)
        box.setToolTip("Frame on screen, counted from 0; type a number, or a time such as 1:05.5, to go there (Ctrl+G)")
        box.setAccessibleName("Go to frame")
        return box

    def _make_label(self, text: str, tooltip: str) -> QLabel:
        label = QLabel(text)
        label.setFont(style.figure_font(label.font()))
        label.setProperty("role", "muted")
        label.setToolTip(tooltip)
        label.setAccessibleName(tooltip)
        return label

    def _arrange(self) -> None:
        self._duration = format_timecode(0)
        self._psnr = ""
        self.psnr.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.psnr.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for widget in (self.first, self.back, self.play, self.forward, self.last, self.loop, self.speed):
            row.addWidget(widget)
        row.addSpacing(style.SPACING // 2)
        row.addWidget(self.number)
        row.addWidget(self.count)
        row.addSpacing(style.SPACING // 2)
        row.addWidget(self.time)
        row.addWidget(self.psnr, 1)
        row.addSpacing(style.SPACING // 2)
        row.addWidget(self.worst)
        row.addWidget(self.measure)

    def _hold_width(self, label: QLabel, widest: str) -> None:
        """Give a label the room of its widest text, so that nothing moves while digits change."""
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest) + 4)
        label.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)

    def _connect(self) -> None:
        self.first.clicked.connect(self._on_first)
        self.last.clicked.connect(self._on_last)
        self.back.clicked.connect(self._on_back)
        self.forward.clicked.connect(self._on_forward)
        self.play.clicked.connect(self.play_wanted)
        self.worst.clicked.connect(self.worst_wanted)
        self.measure.clicked.connect(self.measure_wanted)
        self.loop.toggled.connect(self.loop_wanted)
        self.speed.currentIndexChanged.connect(self._on_speed)
        self.number.valueChanged.connect(self.frame_wanted)

    @Slot()
    def _on_first(self) -> None:
        self.frame_wanted.emit(0)

    @Slot()
    def _on_last(self) -> None:
        self.frame_wanted.emit(self.number.maximum())

    @Slot()
    def _on_back(self) -> None:
        self.step_wanted.emit(-1)

    @Slot()
    def _on_forward(self) -> None:
        self.step_wanted.emit(1)

    @Slot()
    def _on_speed(self) -> None:
        self.speed_wanted.emit(float(self.speed.currentData()))
