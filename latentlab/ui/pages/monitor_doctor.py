"""The doctor on the Monitor page: looks at the training now and then, and says what it found."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from latentlab.core.buffers import MetricHistory
from latentlab.core.doctor import RULES, Finding, Record, diagnose
from latentlab.core.recipe import Recipe
from latentlab.ui import style
from latentlab.ui.formatting import format_steps

LOOK_S = 2.0
LOOKS = 40
"""Moments at which a run that was opened is examined, one at a tick of the numbers."""
WELL = (
    "Nothing to complain of. The doctor looks every two seconds for posterior collapse, a KLD or features that "
    "explode, latents beside the prior, β at its end, samples all alike, a discriminator that has won or that "
    "guesses, a loss weight out of scale, numbers about to overflow, overfitting, and a plateau."
)
TITLES = {rule.name: rule.title for rule in RULES}
NOTES = {rule.name for rule in RULES if rule.severity == "note"}


class DoctorWatch:
    """Examines a history at most every two seconds, and remembers since when each finding holds.

    Thread: GUI; one look takes a few milliseconds whatever the run's length.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget the last run."""
        self.findings: list[Finding] = []
        self.since: dict[str, int] = {}
        self.passed: dict[str, Finding] = {}
        self._version = -1
        self._at = 0.0
        self._past: list[float] | None = None

    def look(self, history: MetricHistory, recipe: Recipe) -> bool:
        """Look if it is time; return whether the findings changed."""
        now = time.monotonic()
        if self._past:
            return self._look_back(Record.of(history, recipe))
        if history.version == self._version or now - self._at < LOOK_S:
            return False
        self._version, self._at = history.version, now
        found = diagnose(Record.of(history, recipe))
        before = self.findings
        self.findings = found
        names = {finding.rule for finding in found}
        for finding in found:
            self.since.setdefault(finding.rule, finding.step)
            self.passed.pop(finding.rule, None)
        for finding in before:
            if finding.rule not in names:
                self.passed[finding.rule] = finding
                self.since.pop(finding.rule, None)
        if self._past is None:  # The first look: what is there already was never watched.
            last = found[0].step if found else (history.span() or (0.0, 0.0))[1]
            self._past = [last * share / LOOKS for share in range(LOOKS, 0, -1)]
        return found != before

    def _look_back(self, record: Record) -> bool:
        """Examine one earlier moment of a run that was opened; find out what passed, and since when the rest holds."""
        assert self._past
        changed, now = False, {finding.rule for finding in self.findings}
        for finding in diagnose(record.until(self._past.pop())):
            if finding.rule not in now:
                self.passed[finding.rule], changed = finding, True
            elif finding.step < self.since[finding.rule]:
                self.since[finding.rule], changed = finding.step, True
        return changed


class FindingCard(QFrame):
    """One finding: what it is, its evidence, and the button that does something about it."""

    wanted = Signal(object)  # Finding

    def __init__(self, finding: Finding, since: int, *, passed: bool, live: bool) -> None:
        super().__init__()
        self.finding = finding
        self.setProperty("role", "card")
        when = f"last seen at step {format_steps(finding.step)}" if passed else f"since step {format_steps(since)}"
        title = QLabel(TITLES[finding.rule])
        title.setFont(style.figure_font(title.font(), bold=True))
        moment = QLabel(when)
        moment.setProperty("role", "muted")
        head = QHBoxLayout()
        head.addWidget(_dot("muted" if passed else "accent" if finding.rule in NOTES else "warning"))
        head.addWidget(title)
        head.addWidget(moment, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(style.SPACING, style.SPACING, style.SPACING, style.SPACING)
        layout.setSpacing(style.SPACING // 2)
        layout.addLayout(head)
        layout.addWidget(_wrapped(finding.sentence, ""))
        layout.addWidget(_wrapped(finding.evidence[:1].upper() + finding.evidence[1:] + ".", "muted"))
        self.button: QPushButton | None = None
        if finding.fix is not None and not passed:
            self.button = QPushButton(finding.fix.label)
            self.button.setEnabled(live)
            self.button.setAccessibleName(finding.fix.label)
            self.button.setToolTip(
                "Does it at once, while training goes on; the change is noted in the run and marked on the plots."
                if live
                else "Possible while the run is being trained."
            )
            self.button.clicked.connect(self._on_clicked)
            row = QHBoxLayout()
            row.addWidget(self.button)
            row.addStretch(1)
            layout.addLayout(row)
        self.setAccessibleName(f"{TITLES[finding.rule]}: {finding.sentence}")

    @Slot()
    def _on_clicked(self) -> None:
        self.wanted.emit(self.finding)


class DoctorPanel(QScrollArea):
    """All findings, those that hold first."""

    def __init__(self, apply: Callable[[Finding], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Findings of the doctor")
        self.setToolTip("What goes wrong in this training, with the evidence and a fix")
        self._apply = apply
        self.cards: list[FindingCard] = []
        self.well = _wrapped(WELL, "muted")
        body = QWidget()
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(0, style.SPACING, style.SPACING, 0)
        self._column.setSpacing(style.SPACING)
        self._column.addWidget(self.well)
        self._column.addStretch(1)
        self.setWidget(body)

    def show_findings(self, watch: DoctorWatch, *, live: bool) -> None:
        """Show what the watch found; ``live`` says whether changes can be made now."""
        for card in self.cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        here = [FindingCard(f, watch.since.get(f.rule, f.step), passed=False, live=live) for f in watch.findings]
        gone = [FindingCard(f, f.step, passed=True, live=live) for f in watch.passed.values()]
        self.cards = here + gone
        for place, card in enumerate(self.cards):
            card.wanted.connect(self._on_wanted)
            self._column.insertWidget(place, card)
        self.well.setVisible(not here)

    @Slot(object)
    def _on_wanted(self, finding: Finding) -> None:
        self._apply(finding)


def _wrapped(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setMaximumWidth(760)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if role:
        label.setProperty("role", role)
    return label


def _dot(colour: str) -> QLabel:
    dot = QLabel("●")
    dot.setStyleSheet(f"color: {style.colour(colour).name()}")
    return dot
