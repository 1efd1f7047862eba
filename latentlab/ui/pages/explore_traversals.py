"""Panes that move along axes: the strip of one, and traversals of many."""

from __future__ import annotations

import numpy as np

from latentlab.core.latent_axes import DIMENSIONS
from latentlab.core.latent_grids import Grid, sigma, traversals
from latentlab.core.messages import Images
from latentlab.ui.pages.explore_pane import GridPane, Scene

STRIP_STEPS = 9


def nearest_step(values: np.ndarray, value: float) -> int | None:
    """Return which of evenly spaced values is nearest, or None where ``value`` is beyond them."""
    if len(values) < 2:
        return None
    step = float(values[1] - values[0])
    nearest = int(np.abs(values - value).argmin())
    return nearest if abs(float(values[nearest]) - value) <= abs(step) / 2 + 1e-6 else None


class StripPane(GridPane):
    """The current axis from end to end."""

    title = "Strip"
    name = "strip"
    tooltip = "The current slider from end to end of its range, everything else as it is\nClick a picture to go there"

    def __init__(self) -> None:
        super().__init__()
        self.view.setObjectName("traversalStrip")
        self.view.setMinimumHeight(64)
        self.values = np.linspace(-3.0, 3.0, STRIP_STEPS, dtype=np.float32)
        self.axis = 0
        self._shown = self.values

    def key(self, scene: Scene) -> object:
        """Return z without the current axis: moving along the strip leaves the strip as it is."""
        if scene.current >= len(scene.axes):
            return None
        span = scene.spans[scene.current]
        rest = scene.axes.rest(scene.point.z, scene.current)
        locks = b"" if scene.axes.kind == DIMENSIONS else scene.point.locks.tobytes()
        return rest, locks, scene.axes.kind, scene.current, span, scene.point.label

    def build(self, scene: Scene) -> Grid | None:
        """Return one row."""
        if scene.current >= len(scene.axes):
            return None
        span = scene.spans[scene.current]
        self.axis, self.values = scene.current, np.linspace(*span, STRIP_STEPS, dtype=np.float32)
        grid = traversals(scene.point, scene.axes, [self.axis], [span], STRIP_STEPS)
        captions = tuple(sigma(float(value)) for value in self.values)
        return Grid(grid.z, grid.labels, grid.columns, "strip", captions=captions)

    def show_grid(self, images: Images, grid: Grid) -> None:
        """Show the row."""
        super().show_grid(images, grid)
        self._shown = self.values

    def mark(self, scene: Scene) -> None:
        """Mark the picture that is nearest to the slider, and name the axis."""
        if scene.current >= len(scene.axes):
            return
        name = scene.axes.names[scene.current]
        what = f"along {name}" if scene.axes.kind != DIMENSIONS else name
        self.label.setText(f"{what}, everything else as it is · click to go there")
        if self.grid is not None and self.axis == scene.current:
            value = float(scene.axes.coordinates(scene.point.z)[scene.current])
            self.view.set_highlight(nearest_step(self._shown, value))


class TraversalPane(GridPane):
    """A row for each of the first sliders, as they are ordered."""

    title = "Traversals"
    name = "traversals"
    tooltip = (
        "A row for each of the first sliders, in their order (by KL, for one), from end to end of its range\n"
        "Click a picture to go there"
    )

    def make_controls(self) -> None:
        """Place rows and steps."""
        self.rows = self.spin("Rows", 1, 64, 6, " rows", "Number of sliders that are traversed, the first of the list")
        self.steps = self.spin("Steps", 3, 21, 9, " steps", "Pictures in each row")

    def _rows(self, scene: Scene) -> list[int]:
        return [int(axis) for axis in scene.order[: self.rows.value()]]

    def key(self, scene: Scene) -> object:
        """Return point, rows and ranges."""
        rows = self._rows(scene)
        spans = tuple(scene.spans[axis] for axis in rows)
        point = scene.point
        names = tuple(scene.axes.names[axis] for axis in rows)
        return point.z.tobytes(), point.locks.tobytes(), point.label, scene.axes.kind, names, spans, self.steps.value()

    def build(self, scene: Scene) -> Grid | None:
        """Return the rows."""
        rows = self._rows(scene)
        if not rows:
            return None
        self.label.setText("everything else as it is · click to go there")
        return traversals(scene.point, scene.axes, rows, [scene.spans[axis] for axis in rows], self.steps.value())
