"""The keys of the Explore page, for the list of shortcuts."""

from __future__ import annotations

KEY_ROWS: list[tuple[str, str]] = [
    ("R, 0", "Randomise the unlocked dimensions; set them to 0"),
    ("Ctrl+Z, Ctrl+Shift+Z", "Undo and redo moves"),
    ("C, Shift+C", "Next and previous class"),
    ("D, Ctrl+I, Ctrl+V", "Start from a picture of the data, a file, the clipboard"),
    ("V, M", "Start from the Video page's frame, or from a mean code"),
    ("S, /", "Next set of sliders; find a slider"),
    ("← →, Page Up/Down, Home/End", "Move the slider: 0.1 σ (Shift: 0.01), 1 σ, to the ends of its range"),
    ("↑ ↓, Enter, Delete, L", "Other sliders, type a value, 0, lock"),
    ("Ctrl+D", "Save the present move as a direction"),
    ("B", "Keep this point"),
    ("W, Ctrl+←, Ctrl+→", "Wipe on and off; move its line"),
    ("N", "Nearest images of the data"),
    ("Alt+1 … Alt+7", "Strip, traversals, plane, A to B, corners, arithmetic, points"),
    ("Ctrl+E", "Save the grid as a picture"),
]
