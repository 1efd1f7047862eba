"""Reads the theme files: the palette of a theme, and the style sheet with its colours filled in."""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from PySide6.QtGui import QColor, QPalette

from latentlab.core.errors import LatentLabError
from latentlab.core.paths import cache_dir, resources_dir

THEMES = ("dark", "light")
# Glyphs that style sheets show as images: file name to (icon, colour of the theme).
_GLYPHS = {
    "chevron_down": ("chevron_down", "muted"),
    "chevron_up": ("chevron_up", "muted"),
    "chevron_right": ("chevron_right", "muted"),
    "close": ("close", "muted"),
    "check": ("check", "accent_text"),
    "dash": ("dash", "accent_text"),
    "dot": ("dot", "accent_text"),
    "tick": ("check", "text"),
}


@dataclass(frozen=True)
class Theme:
    """One palette: ``ui`` colours of widgets and ``metrics`` colours of curves, as ``#rrggbb``."""

    name: str
    ui: Mapping[str, str]
    metrics: Mapping[str, str]

    def colour(self, key: str) -> str:
        """Return a metric's or a widget's colour; KeyError for an unknown key."""
        return self.metrics[key] if key in self.metrics else self.ui[key]


@cache
def load_theme(name: str) -> Theme:
    """Return the theme called ``dark`` or ``light``."""
    text = (resources_dir() / "themes" / "colours.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)[name]
    ui = dict(tables["ui"])
    ui["handle"] = ui["text"] if name == "dark" else ui["accent"]
    return Theme(name, ui, dict(tables["metrics"]))


@cache
def style_sheet(name: str) -> str:
    """Return the application's style sheet in the colours of a theme."""
    theme = load_theme(name)
    text = (resources_dir() / "themes" / "style.qss").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"@(\w+)", lambda match: theme.ui[match.group(1)], text)


def svg_source(icon: str, colour: str) -> bytes:
    """Return an icon's SVG text with its strokes in ``colour`` (``#rrggbb``)."""
    text = (resources_dir() / "icons" / f"{icon}.svg").read_text(encoding="utf-8")
    return text.replace("currentColor", colour).encode()


def glyph_folder(name: str) -> Path:
    """Write the glyphs of a theme into the cache (once per content) and return their folder.

    Style sheets take pictures only from files, and a file has one colour: hence a copy per theme.
    """
    theme = load_theme(name)
    sources = {file: svg_source(icon, theme.ui[key]) for file, (icon, key) in _GLYPHS.items()}
    digest = sha256(b"".join(sources.values())).hexdigest()[:12]
    try:
        return _written(cache_dir() / "glyphs" / f"{name}-{digest}", sources)
    except (OSError, LatentLabError):  # A cache that is full or in the way is no reason to open no window.
        return _written(Path(tempfile.gettempdir()) / f"latentlab-glyphs-{name}-{digest}", sources)


def _written(folder: Path, sources: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file, source in sources.items():
        path = folder / f"{file}.svg"
        if not path.exists() or path.stat().st_size != len(source):
            path.write_bytes(source)
    return folder


def qt_palette(name: str) -> QPalette:
    """Return the QPalette of a theme, for what the style sheet does not reach."""
    ui = load_theme(name).ui
    role = QPalette.ColorRole
    palette = QPalette()
    pairs = {
        role.Window: "window",
        role.WindowText: "text",
        role.Base: "surface",
        role.AlternateBase: "window",
        role.Text: "text",
        role.Button: "raised",
        role.ButtonText: "text",
        role.ToolTipBase: "tooltip",
        role.ToolTipText: "text",
        role.PlaceholderText: "faint",
        role.Highlight: "accent",
        role.HighlightedText: "accent_text",
        role.Link: "accent",
        role.BrightText: "danger",
        role.Mid: "border",
        role.Midlight: "hover",
        role.Light: "hover",
        role.Dark: "line",
        role.Shadow: "line",
        role.Accent: "accent",
    }
    for key, value in pairs.items():
        palette.setColor(key, QColor(ui[value]))
    for key in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, key, QColor(ui["disabled"]))
    return palette
