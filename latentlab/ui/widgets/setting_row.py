"""One line of the recipe form: label, editor, revert button, and the error under them."""

from __future__ import annotations

import types
from html import escape
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import JsonValue
from pydantic.fields import FieldInfo
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QToolButton, QWidget

from latentlab.core.recipe import setting_facts
from latentlab.core.recipe_data import MAX_SIDE, MIN_SIDE
from latentlab.ui.icons import set_icon
from latentlab.ui.widgets.data_spec_editor import DataSpecEditor
from latentlab.ui.widgets.setting_editors import (
    WIDEST,
    ChoiceEditor,
    CountEditor,
    FlagEditor,
    NumberEditor,
    RegionEditor,
    SizeEditor,
    mark_invalid,
)

LABEL_WIDTH = 108
LABELS = {
    "data.spec": "Data set",
    "data.size": "Size (H × W)",
    "data.labelled_per_class": "Labels per class",
    "data.labelled_fraction": "Labelled share",
    "data.keyframes_only": "Keyframes only",
    "data.test_fraction": "Test share",
    "model.kind": "Model",
    "model.latent_dim": "Latent dims",
    "model.principal_dims": "Principal dims",
    "model.latent_batch_norm": "Latent norm",
    "model.discriminator_network": "D network",
    "model.discriminator_width": "D width",
    "model.discriminator_norm": "D norm",
    "model.discriminator_downsampling": "D downsampling",
    "model.discriminator_conditioning": "D class input",
    "model.discriminator_dropout": "D dropout",
    "objective.kld": "KLD",
    "objective.kld_form": "KLD form",
    "objective.kld_momentum": "KLD momentum",
    "objective.beta": "β",
    "objective.initial_beta": "β value",
    "objective.beta_step": "β step",
    "objective.target_kld": "Target KLD",
    "objective.sigma": "σ",
    "objective.adversarial_weight": "Adversarial",
    "objective.feature_weight": "Feature matching",
    "objective.pixel_weight": "Pixel loss",
    "objective.normalise_features": "Scale features",
    "objective.encoder_feature_matching": "Encoder features",
    "objective.prior_feature_weight": "Prior features",
    "objective.feature_activation": "Feature stage",
    "objective.decoder_attribute_weight": "Decoder attrib.",
    "objective.classification_weight": "Class weight",
    "objective.temperature_start": "Temp. at start",
    "objective.temperature_minimum": "Temp. minimum",
    "objective.temperature_every": "Temp. every",
    "objective.adversarial_delay": "Delayed start",
    "objective.equilibrium_margin": "Margin",
    "objective.label_smoothing": "Real smoothing",
    "objective.fake_label_smoothing": "Fake smoothing",
    "objective.instance_noise_steps": "Noise fades over",
    "training.labelled_batch_size": "Labelled batch",
    "training.lr": "Learning rate",
    "training.gradient_shares_every": "Gradient shares",
    "training.discriminator_lr": "D learning rate",
}
EMPTY_MEANS = {
    "data.limit": "all",
    "data.labelled_per_class": "all",
    "data.labelled_fraction": "all",
    "training.discriminator_lr": "as learning rate",
}
Editor = ChoiceEditor | CountEditor | DataSpecEditor | FlagEditor | NumberEditor | RegionEditor | SizeEditor


def label_of(key: str) -> str:
    """Return the words beside a setting, e.g. ``Batch size``."""
    return LABELS.get(key) or key.partition(".")[2].replace("_", " ").capitalize()


def tooltip_of(key: str, field: FieldInfo) -> str:
    """Return what the setting does, in which unit, what is allowed and the default, as rich text."""
    facts = setting_facts(key, field)
    default = EMPTY_MEANS.get(key, "none") if facts["default"] is None else facts["default"]
    default = " × ".join(map(str, default)) if isinstance(default, list) else default
    lines = [f"<b>{escape(key)}</b>", escape(str(facts["description"]))]
    unit = f" {facts['unit']}" if facts["unit"] else ""
    lines.append(escape(f"Allowed: {facts['allowed']}{unit}") if facts["allowed"] else "")
    lines.append(escape(f"Default: {default}{unit}"))
    if facts["live"]:
        lines.append("Can be changed while training.")
    return "<br>".join(line for line in lines if line)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [part for part in get_args(annotation) if part is not type(None)]
        return inner[0], len(inner) < len(get_args(annotation))
    return annotation, False


def _listed(declared: JsonValue) -> list[JsonValue]:
    """Return a list that a field declares."""
    assert isinstance(declared, list)
    return declared


def bounds_of(field: FieldInfo) -> tuple[int, int]:
    """Return the whole-number bounds declared on a field; open ends are the widest a spin box has."""
    low, high = -WIDEST, WIDEST
    for bound in field.metadata:
        low = getattr(bound, "ge", low)
        high = getattr(bound, "le", high)
    return int(low), min(int(high), WIDEST)


def make_editor(key: str, field: FieldInfo) -> Editor:
    """Return an empty editor for the type of a setting."""
    annotation, optional = _without_none(field.annotation)
    unit = str(field.json_schema_extra.get("unit", "")) if isinstance(field.json_schema_extra, dict) else ""
    if key == "data.spec":
        return DataSpecEditor()
    if get_origin(annotation) is Literal:
        return ChoiceEditor([str(choice) for choice in get_args(annotation)])
    if get_origin(annotation) is tuple:
        return SizeEditor(MIN_SIDE, MAX_SIDE) if len(get_args(annotation)) == 2 else RegionEditor()
    if annotation is bool:
        return FlagEditor()
    if annotation is int and not optional:
        return CountEditor(*bounds_of(field), unit)
    return NumberEditor(whole=annotation is int, empty=EMPTY_MEANS.get(key, "none") if optional else None, unit=unit)


class SettingRow(QWidget):
    """A setting with its name, its editor and its state: modified, invalid, locked."""

    changed = Signal(str)  # key

    def __init__(self, key: str, field: FieldInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        self.key = key
        self.live = bool(extra.get("live", False))
        self.advanced = bool(extra.get("advanced", False))
        when = extra.get("when", {})
        assert isinstance(when, dict)
        self.kinds = _listed(extra.get("kinds", []))
        self.when = {neighbour: _listed(allowed) for neighbour, allowed in when.items()}
        self.baseline: object = field.default
        self.message = ""
        self.label = QLabel(label_of(key))
        self.editor = make_editor(key, field)
        self.revert = QToolButton()
        self.error = QLabel()
        self._build(tooltip_of(key, field))
        self.editor.set_value(field.default)
        self.editor.changed.connect(self._on_editor_changed)
        self.revert.clicked.connect(self.revert_to_baseline)
        self._show_modified()

    def _build(self, tooltip: str) -> None:
        self.label.setFixedWidth(LABEL_WIDTH)
        self.label.setBuddy(self.first_field())
        set_icon(self.revert, "reset", "muted")
        self.revert.setFixedWidth(24)
        self.revert.setAutoRaise(True)
        self.revert.setToolTip(f"Put {self.label.text()} back to the recipe's value")
        self.revert.setAccessibleName(f"Revert {self.label.text()}")
        keep = self.revert.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.revert.setSizePolicy(keep)
        self.error.setProperty("role", "error")
        self.error.setWordWrap(True)
        self.error.hide()
        self.editor.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.editor.setMinimumWidth(60)
        self.editor.setObjectName(f"setting.{self.key}")
        self.editor.setAccessibleName(self.label.text())
        for widget in (self.label, self.editor):
            widget.setToolTip(tooltip)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.label, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(self.editor, 0, 1)
        grid.addWidget(self.revert, 0, 2)
        grid.addWidget(self.error, 1, 1, 1, 2)
        grid.setColumnStretch(1, 1)

    def first_field(self) -> QWidget:
        """Return what takes the keyboard: the editor, or the first of its fields."""
        return getattr(self.editor, "first", self.editor)

    def value(self) -> Any:
        """Return the value as the recipe model takes it."""
        return self.editor.value()

    def set_baseline(self, value: object) -> None:
        """Show ``value`` and take it as what revert goes back to; ``changed`` is not emitted."""
        self.baseline = value
        blocked = self.editor.blockSignals(True)
        self.editor.set_value(value)
        self.editor.blockSignals(blocked)
        self._show_modified()

    def set_value(self, value: object) -> None:
        """Show ``value`` as a change of the user."""
        self.editor.set_value(value)

    def set_locked(self, locked: bool) -> None:
        """Let the value be seen but not changed, as while a training runs."""
        self.editor.set_locked(locked)
        self.revert.setEnabled(not locked)

    @property
    def modified(self) -> bool:
        """Whether the value differs from the recipe's."""
        return bool(self.value() != self.baseline)

    def revert_to_baseline(self) -> None:
        """Go back to the recipe's value."""
        self.editor.set_value(self.baseline)

    def set_error(self, message: str) -> None:
        """Mark the field and show why; an empty message clears both."""
        if message != self.message:
            self.message = message
            self.error.setText(message)
            self.error.setVisible(bool(message))
            mark_invalid(self.editor, bool(message))

    def _on_editor_changed(self) -> None:
        self._show_modified()
        self.changed.emit(self.key)

    def _show_modified(self) -> None:
        self.revert.setVisible(self.modified)
