"""Panes between points: from A to B, between four corners, and A minus B plus C."""

from __future__ import annotations

import numpy as np

from latentlab.core.latent_grids import Grid, NamedPoint, arithmetic, corners, walk
from latentlab.ui.pages.explore_pane import HERE, GridPane, PointChoice, Scene


def point_key(point: NamedPoint) -> tuple[object, ...]:
    """Return what a grid depends on of a point."""
    return point.name, point.z.tobytes(), point.label


class BetweenPane(GridPane):
    """What the three have in common: points to choose."""

    points: list[PointChoice]

    def set_scene(self, scene: Scene) -> None:
        """Offer the points there are."""
        for choice in self.points:
            choice.offer(list(scene.choices))

    def chosen_points(self, scene: Scene) -> list[NamedPoint]:
        """Return the points that are chosen, in order."""
        return [choice.of(scene) for choice in self.points]

    def settings(self) -> tuple[object, ...]:
        """Return what else the grid depends on."""
        return ()

    def key(self, scene: Scene) -> object:
        """Return the points and the settings."""
        return (*(point_key(point) for point in self.chosen_points(scene)), *self.settings())


class WalkPane(BetweenPane):
    """The way from A to B."""

    title = "A to B"
    name = "walk"
    tooltip = "The way from one point to another\nClick a picture to go there"

    def make_controls(self) -> None:
        """Place both ends, the way and the steps."""
        a = self.combo("A", "Point A, where the way begins")
        swap = self.button("swap", "", "Swap A and B")
        b = self.combo("B", "Point B, where the way ends")
        self.points = [PointChoice(a, HERE), PointChoice(b, "seed 1")]
        swap.clicked.connect(self._swap)
        self.path = self.path_combo()
        self.steps = self.spin("Steps", 2, 64, 9, " steps", "Pictures from A to B, both included")

    def _swap(self) -> None:
        a, b = (choice.combo.currentText() for choice in self.points)
        self.points[0].choose(b)
        self.points[1].choose(a)
        self.changed.emit()

    def settings(self) -> tuple[object, ...]:
        """Return the way and the steps."""
        return self.path.currentData(), self.steps.value()

    def build(self, scene: Scene) -> Grid | None:
        """Return the way; long ones in several rows."""
        a, b = self.chosen_points(scene)
        apart = float(np.linalg.norm(a.z - b.z))
        self.label.setText(f"{apart:.1f} σ apart" if apart > 0 else "choose two different points")
        self.label.setToolTip("Distance between A and B in latent space, in σ of the prior")
        grid = walk(a, b, self.steps.value(), self.path.currentData())
        columns = grid.columns if grid.columns <= 12 else -(-grid.columns // -(-grid.columns // 12))
        return Grid(grid.z, grid.labels, columns, grid.source, captions=grid.captions)


class CornersPane(BetweenPane):
    """A square between four points."""

    title = "Corners"
    name = "corners"
    tooltip = "Four points at the corners, and what lies between them\nClick a picture to go there"

    def make_controls(self) -> None:
        """Place the corners, the way and the steps."""
        places = ("upper left", "upper right", "lower left", "lower right")
        wanted = (HERE, "seed 1", "seed 2", "seed 3")
        self.points = [
            PointChoice(self.combo(f"Corner{i}", f"Point at the {place} corner"), start)
            for i, (place, start) in enumerate(zip(places, wanted, strict=True))
        ]
        self.path = self.path_combo()
        self.steps = self.spin("Steps", 2, 15, 7, " steps", "Pictures in a row and in a column")

    def settings(self) -> tuple[object, ...]:
        """Return the way and the steps."""
        return self.path.currentData(), self.steps.value()

    def build(self, scene: Scene) -> Grid | None:
        """Return the square; names only stand in the tooltips of the lists, so that no row of captions is lost."""
        grid = corners(self.chosen_points(scene), self.steps.value(), self.path.currentData())
        return Grid(grid.z, grid.labels, grid.columns, grid.source)


class ArithmeticPane(BetweenPane):
    """C, moved by what makes A of B."""

    title = "Arithmetic"
    name = "arithmetic"
    tooltip = (
        "A − B + C: what A has and B has not, added to C in steps\n"
        "With class means or saved points as A and B this adds or removes what they differ in"
    )

    def make_controls(self) -> None:
        """Place the three points, the strength and the steps."""
        tips = ("A, which has something", "B, which has not", "C, to which it is added")
        wanted = ("seed 1", "seed 2", HERE)
        self.points = [
            PointChoice(self.combo(letter, f"Point {tip}"), start)
            for letter, tip, start in zip("ABC", tips, wanted, strict=True)
        ]
        self.most = self.spin("Strength", 1, 5, 1, " × (A−B)", "Strength at the ends: how often A − B is added")
        self.steps = self.spin("Steps", 3, 21, 9, " steps", "Pictures; the middle one is C")

    def settings(self) -> tuple[object, ...]:
        """Return strength and steps."""
        return self.most.value(), self.steps.value()

    def build(self, scene: Scene) -> Grid | None:
        """Return the row."""
        most, steps = self.most.value(), self.steps.value() | 1
        a, b, c = self.chosen_points(scene)
        return arithmetic(a, b, c, [float(s) for s in np.linspace(-most, most, steps)])
