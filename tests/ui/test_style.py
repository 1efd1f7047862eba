from __future__ import annotations

import re

import pytest
import shiboken6
from PySide6.QtCore import QSize
from PySide6.QtGui import QAction, QColor, QFontMetrics, QIcon
from PySide6.QtWidgets import QApplication, QPushButton

from latentlab.core.metrics import METRICS
from latentlab.core.paths import resources_dir
from latentlab.ui import icons, style, theme
from latentlab.ui.formatting import format_bytes, format_duration, format_steps, format_value

CONTRACT_ICONS = [
    *("monitor", "explore", "condition", "video", "train", "pause", "resume", "stop", "open", "screenshot"),
    *("settings", "reset", "random", "seed", "encode", "play", "step_forward", "step_back", "first", "last"),
    *("zoom_fit", "follow", "theme", "recipe", "warning", "close"),
]


@pytest.fixture(autouse=True)
def dark_again(qapp: QApplication):
    yield
    style.apply_theme(qapp, "dark")


def luminance(colour: QColor) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(QColor(first)), luminance(QColor(second))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", theme.THEMES)
def test_text_and_curves_can_be_read_on_their_ground(name):
    found = theme.load_theme(name)
    assert contrast(found.ui["text"], found.ui["window"]) >= 12
    assert contrast(found.ui["muted"], found.ui["window"]) >= 4.5
    assert contrast(found.ui["accent_text"], found.ui["accent"]) >= 3
    for key, value in found.metrics.items():
        assert contrast(value, found.ui["plot"]) >= 3, key


@pytest.mark.parametrize("name", theme.THEMES)
def test_every_metric_has_a_colour_and_the_sheet_no_hole(name):
    found = theme.load_theme(name)
    assert {metric.colour for metric in METRICS.values()} <= set(found.metrics)
    sheet = theme.style_sheet(name)
    assert "@" not in sheet
    glyphs = {path.name for path in theme.glyph_folder(name).glob("*.svg")}
    assert set(re.findall(r"url\(glyph:([\w.]+)\)", sheet)) <= glyphs


def test_both_themes_define_the_same_colours():
    dark, light = theme.load_theme("dark"), theme.load_theme("light")
    assert set(dark.ui) == set(light.ui)
    assert set(dark.metrics) == set(light.metrics)


def test_a_theme_change_recolours_widgets_and_tells(qapp, qtbot):
    style.apply_theme(qapp, "dark")
    button = QPushButton("Train")
    button.setProperty("kind", "primary")
    qtbot.addWidget(button)
    button.resize(120, 40)
    ground = {}
    for name in ("light", "dark"):
        with qtbot.waitSignal(style.theme_events().changed) as heard:
            style.apply_theme(qapp, name)
        assert heard.args == [name]
        ground[name] = button.grab().toImage().pixelColor(20, 8)
        assert ground[name] == style.colour("accent")
    assert ground["light"] != ground["dark"]
    with pytest.raises(ValueError, match="dark, light or system"):
        style.apply_theme(qapp, "blue")


def test_system_follows_the_desktop_only_while_asked_to(qapp):
    style.apply_theme(qapp, "light")
    style.theme_events().follow_system()
    assert (style.current_theme(), style.theme_choice()) == ("light", "light")
    style.apply_theme(qapp, "system")
    assert style.theme_choice() == "system"
    assert style.current_theme() in ("dark", "light")


def test_digits_have_one_width(qapp):
    metrics = QFontMetrics(style.figure_font(qapp.font()))
    assert len({metrics.horizontalAdvance(digit * 6) for digit in "0123456789"}) == 1


@pytest.mark.parametrize("choice", theme.THEMES)
def test_icons_draw_in_the_colour_of_the_theme_at_both_densities(qapp, choice):
    style.apply_theme(qapp, choice)
    wanted = style.colour("text").getRgb()[:3]
    for name in CONTRACT_ICONS:
        for ratio in (1, 2):
            image = icons.icon(name).pixmap(QSize(20, 20), float(ratio)).toImage()
            assert image.width() == 20 * ratio, name
            pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
            solid = [p for p in pixels if p.alpha() > 200]
            assert len(solid) > 5 * ratio, name
            assert all(abs(a - b) <= 3 for p in solid for a, b in zip(p.getRgb()[:3], wanted, strict=True)), name


def test_icons_leave_a_margin_and_differ(qapp):
    seen = set()
    for name in icons.icon_names():
        image = icons.pixmap(name, 48).toImage()
        edge = [image.pixelColor(i, j).alpha() for i in range(48) for j in (0, 47)]
        assert max(edge) == 0, name
        seen.add(bytes(image.constBits()))
    assert len(seen) == len(icons.icon_names())


def test_icon_files_carry_no_colour_of_their_own():
    for path in (resources_dir() / "icons").glob("*.svg"):
        assert "#" not in path.read_text(), path.name


def test_set_icon_follows_the_theme(qapp):
    style.apply_theme(qapp, "dark")
    action = QAction("Train")
    icons.set_icon(action, "train")

    def shade() -> QColor:
        return action.icon().pixmap(24, 24).toImage().pixelColor(10, 12)

    assert shade() == style.colour("text")
    style.apply_theme(qapp, "light")
    assert shade() == style.colour("text")
    disabled = action.icon().pixmap(24, 24, QIcon.Mode.Disabled).toImage().pixelColor(10, 12)
    assert disabled == style.colour("disabled")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0243, "0.0243"),
        (0.5, "0.500"),
        (-1.5, "-1.50"),
        (0, "0"),
        (803, "803"),
        (999.4, "999"),
        (999.9, "1.0 k"),
        (1200, "1.2 k"),
        (12_345, "12.3 k"),
        (123_456, "123 k"),
        (4_200_000, "4.2 M"),
        (2.43e-5, "2.43e-5"),
        (0.99996, "1.00"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "∞"),
    ],
)
def test_values_have_sensible_digits(value, text):
    assert format_value(value) == text


def test_more_digits_on_request():
    assert format_value(0.024312, 4) == "0.02431"
    assert format_value(1234.5, 4) == "1.23 k"


@pytest.mark.parametrize(
    ("seconds", "text"), [(7, "0:07"), (192, "3:12"), (3725, "1:02:05"), (None, "–:––"), (-1, "–:––"), (59.6, "1:00")]
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text


def test_counts_and_sizes():
    assert format_steps(12_400) == "12,400"
    assert format_steps(None) == "–"
    assert format_bytes(812.4) == "812 MB"
    assert format_bytes(1440) == "1.4 GB"


def test_an_icon_of_a_deleted_widget_is_dropped(qapp):
    button = QPushButton()
    icons.set_icon(button, "stop")
    followers = icons._followers[0]
    assert button in followers._wanted
    shiboken6.delete(button)
    style.apply_theme(qapp, "light")
    style.apply_theme(qapp, "dark")
    assert button not in followers._wanted
