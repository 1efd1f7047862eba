"""Figures of the latents: KL per dimension, aggregate posterior, length of z, rate and distortion."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from latentlab.core.buffers import MetricHistory
from latentlab.core.latent_stats import ACTIVE_VARIANCE
from latentlab.core.messages import Floats
from latentlab.core.metrics import describe
from latentlab.core.vectors import Z_BINS, VectorHistory, chi_density, norm_edges, z_edges
from latentlab.ui import style
from latentlab.ui.formatting import format_steps, format_value
from latentlab.ui.views.figure import Figure

Table = tuple[np.ndarray, Floats]
_NO_TABLE: Table = (np.empty(0, dtype=np.int64), np.empty((0, 0), dtype=np.float32))


class VectorFigure(Figure):
    """A figure of vector metrics: newest, or at the step under the plots' cursor."""

    @abstractmethod
    def take(self, vectors: VectorHistory, history: MetricHistory, step: float | None) -> None:
        """Read what is to be drawn, and paint it."""


class KlHeatMap(VectorFigure):
    """KL of every dimension, dimension by dimension upwards, over the steps measured."""

    title, x_name, key = "KL by dimension", "step", "kl-heat-map"
    story = (
        "KL(q(z|x) ‖ N(0, 1)) of each latent dimension over the steps, mean of the test images: brighter is more, on a "
        "scale of square roots. The dimensions that end with the most are at the bottom."
    )

    def __init__(self) -> None:
        super().__init__()
        self._steps, self._rows = _NO_TABLE
        self._order = np.empty(0, dtype=np.int64)
        self._cursor: float | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was measured."""
        return not len(self._steps)

    def take(self, vectors: VectorHistory, history: MetricHistory, step: float | None) -> None:
        """Read the whole table."""
        self._steps, rows = vectors.table("kld_dim")
        self._cursor = step
        if len(self._steps):
            self._order = np.argsort(-rows[-1], kind="stable")
            self._rows = rows[:, self._order]
            self.x_range = (0.0, float(max(self._steps[-1], 1)))
            self.y_range = (0.0, float(rows.shape[1]))
            self.remark = f"nats, up to {format_value(float(rows.max()))}"
        self.update()

    def paint_content(self, painter: QPainter, room: QRectF) -> None:
        """Draw the table, a column as wide as the steps it stands for."""
        edges = np.concatenate([[0.0], (self._steps[1:] + self._steps[:-1]) / 2.0, [self.x_range[1]]])
        columns = np.searchsorted(edges[1:-1], np.linspace(0.0, self.x_range[1], max(int(room.width()), 1)))
        shares = np.sqrt(np.maximum(self._rows, 0.0) / max(float(self._rows.max()), 1e-9))
        self.image(painter, room, shares[columns].T, style.colour("kld"))
        if self._cursor is not None:
            painter.setPen(style.colour("muted"))
            x = self.place(self._cursor, 0.0).x()
            painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))

    def tell(self, x: float, y: float) -> str:
        """Say the KL of a dimension at a step."""
        row = int(np.argmin(np.abs(self._steps - x)))
        rank = min(int(y), self._rows.shape[1] - 1)
        value = format_value(float(self._rows[row, rank]))
        return f"z{self._order[rank]} at step {format_steps(self._steps[row])}: {value} nats"

    def csv(self) -> str:
        """Return a row per step, a column per dimension."""
        back = np.argsort(self._order)
        names = ",".join(f"z{d}" for d in range(self._rows.shape[1]))
        lines = [
            f"{step}," + ",".join(f"{v:.6g}" for v in row[back])
            for step, row in zip(self._steps, self._rows, strict=True)
        ]
        return "\n".join([f"step,{names}", *lines]) + "\n"


class KlBars(VectorFigure):
    """KL of every dimension at one step, the largest first."""

    title, x_name, key = "KL, sorted", "rank", "kl-bars"
    story = (
        "KL of each dimension, mean of the test images, the largest first. Faded bars are dead dimensions: the "
        f"variance of their posterior means over images is at most {ACTIVE_VARIANCE:g}."
    )

    def __init__(self) -> None:
        super().__init__()
        self._values, self._active = np.empty(0, dtype=np.float32), np.empty(0, dtype=bool)
        self._order = np.empty(0, dtype=np.int64)
        self._step = 0

    @property
    def empty(self) -> bool:
        """Whether nothing was measured."""
        return not len(self._values)

    def take(self, vectors: VectorHistory, history: MetricHistory, step: float | None) -> None:
        """Read the row of a step."""
        found, variance = vectors.at("kld_dim", step), vectors.at("variance_dim", step)
        if found is not None:
            self._step, values = found
            self._order = np.argsort(-values, kind="stable")
            self._values = values[self._order]
            moving = np.ones(len(values), dtype=bool) if variance is None else variance[1] > ACTIVE_VARIANCE
            self._active = moving[self._order]
            self.x_range = (0.0, float(len(values)))
            self.y_range = (0.0, max(1.08 * float(self._values.max()), 1e-3))
            count = int(self._active.sum())
            self.remark = f"nats · {count} of {len(values)} active"
        self.update()

    def paint_content(self, painter: QPainter, room: QRectF) -> None:
        """Draw the bars, dead ones faded."""
        edges, colour = np.arange(len(self._values) + 1.0), style.colour("kld")
        self.bars(painter, edges, np.where(self._active, self._values, 0.0), colour)
        faded = style.mix(colour, style.colour("plot"), 0.65)
        self.bars(painter, edges, np.where(self._active, 0.0, self._values), faded)

    def tell(self, x: float, y: float) -> str:
        """Say which dimension a bar is."""
        rank = min(int(x), len(self._values) - 1)
        state = "active" if self._active[rank] else "dead"
        return f"z{self._order[rank]}, rank {rank + 1}: {format_value(float(self._values[rank]))} nats, {state}"

    def csv(self) -> str:
        """Return dimension and KL, sorted."""
        pairs = zip(self._order, self._values, strict=True)
        return "dimension,kl_nats\n" + "".join(f"{d},{v:.6g}\n" for d, v in pairs)


class AggregatePosterior(VectorFigure):
    """The distribution of z of all images, a column per dimension, beside the prior's."""

    title, x_name, key = "Aggregate posterior", "dimension", "aggregate-posterior"
    story = (
        "Density of z over all test images, a column per dimension; the last column is the prior, N(0, 1), which they "
        "are to look like. The lines are mean and one standard deviation."
    )

    def __init__(self) -> None:
        super().__init__()
        self._shares = np.empty((0, Z_BINS), dtype=np.float32)
        self._mean = self._std = np.empty(0, dtype=np.float32)

    @property
    def empty(self) -> bool:
        """Whether nothing was measured."""
        return not len(self._shares)

    def take(self, vectors: VectorHistory, history: MetricHistory, step: float | None) -> None:
        """Read the histograms and moments of a step."""
        found, mean, std = (vectors.at(name, step) for name in ("z_hist", "mean_dim", "std_dim"))
        if found is not None and mean is not None and std is not None:
            self._shares = found[1].reshape(-1, Z_BINS)
            self._mean, self._std = mean[1], std[1]
            self.x_range, self.y_range = (0.0, len(self._shares) + self._prior_columns()), (-4.0, 4.0)
            gap = history.last("test_prior_gap") if step is None else history.at("test_prior_gap", step)
            self.remark = f"{format_value(gap[1])} nats/dim off" if gap else ""
        self.update()

    def _prior_columns(self) -> float:
        return max(1.0, 0.04 * len(self._shares))

    def paint_content(self, painter: QPainter, room: QRectF) -> None:
        """Draw the columns as a picture, and the moments over it."""
        edges = z_edges()
        prior = np.diff([0.0, *_normal_cdf(edges[1:-1]), 1.0])
        top = 1.6 * float(prior.max())
        end = self.place(float(len(self._shares)), 0.0).x()
        colour = style.colour("kld")
        shown = QRectF(room.left(), room.top(), end - room.left(), room.height())
        self.image(painter, shown, np.sqrt(self._shares.T / top), colour)
        beside = QRectF(end + 2, room.top(), room.right() - end - 2, room.height())
        self.image(painter, beside, np.sqrt(prior[:, None] / top), style.colour("muted"))
        painter.setPen(style.colour("text"))
        if room.width() / len(self._shares) >= 3.0:
            for d, (mean, std) in enumerate(zip(self._mean, self._std, strict=True)):
                for value in (mean - std, mean, mean + std):
                    painter.drawLine(self.place(d + 0.15, float(value)), self.place(d + 0.85, float(value)))

    def tell(self, x: float, y: float) -> str:
        """Say the moments of a dimension."""
        d = int(x)
        if d >= len(self._shares):
            return "The prior, N(0, 1)"
        return (
            f"z{d}: mean {format_value(float(self._mean[d]))}, standard deviation {format_value(float(self._std[d]))}"
        )

    def csv(self) -> str:
        """Return the moments of each dimension."""
        rows = enumerate(zip(self._mean, self._std, strict=True))
        return "dimension,mean,std\n" + "".join(f"{d},{m:.6g},{s:.6g}\n" for d, (m, s) in rows)


def _normal_cdf(values: np.ndarray) -> np.ndarray:
    from math import erf, sqrt

    return np.array([0.5 + 0.5 * erf(value / sqrt(2.0)) for value in values])


class LengthRing(VectorFigure):
    """How long z is, beside how long the prior's is: in many dimensions a thin shell, the ring."""

    title, x_name, key = "Length of z", "‖z‖", "length-of-z"
    story = (
        "Distribution of the length of z ~ q(z|x) on the test images (bars), and of z ~ N(0, I) (line): the chi "
        "distribution, a thin shell in many dimensions. Bars right of the line are images outside the prior."
    )

    def __init__(self) -> None:
        super().__init__()
        self._density = np.empty(0)
        self._edges = np.empty(0)
        self._dim = 1

    @property
    def empty(self) -> bool:
        """Whether nothing was measured."""
        return not len(self._density)

    def take(self, vectors: VectorHistory, history: MetricHistory, step: float | None) -> None:
        """Read the histogram of a step."""
        found, wide = vectors.at("z_norm_hist", step), vectors.at("mean_dim", step)
        if found is not None and wide is not None:
            self._dim = len(wide[1])
            self._edges = norm_edges(self._dim)
            self._density = found[1] / np.diff(self._edges)
            fine = np.linspace(1e-3, self._edges[-1], 300)
            self._prior = (fine, chi_density(fine, self._dim))
            self.x_range = (0.0, float(self._edges[-1]))
            self.y_range = (0.0, 1.1 * max(float(self._density.max()), float(self._prior[1].max())))
            self.remark = "bars: q, line: prior"
        self.update()

    def paint_content(self, painter: QPainter, room: QRectF) -> None:
        """Draw bars and line."""
        self.bars(painter, self._edges, self._density, style.mix(style.colour("kld"), style.colour("plot"), 0.35))
        self.line(painter, *self._prior, style.colour("text"))

    def tell(self, x: float, y: float) -> str:
        """Say the share of images in a bar."""
        place = min(int(np.searchsorted(self._edges, x, side="right")) - 1, len(self._density) - 1)
        share = self._density[place] * (self._edges[1] - self._edges[0])
        return f"‖z‖ from {self._edges[place]:.2f} to {self._edges[place + 1]:.2f}: {share:.1%} of z"

    def csv(self) -> str:
        """Return bins and densities."""
        rows = zip(self._edges[:-1], self._edges[1:], self._density, strict=True)
        return "from,to,density\n" + "".join(f"{a:.5g},{b:.5g},{v:.6g}\n" for a, b, v in rows)


class RateDistortion(VectorFigure):
    """The path of the training through rate and distortion, both of test images."""

    title, x_name, key = "Rate and distortion", "KLD, nats", "rate-distortion"
    story = (
        "The path of the training: rate, the KLD of test images in nats, against distortion, their reconstruction "
        "loss. The dot is the newest measurement; down is sharper, left is simpler."
    )

    def __init__(self) -> None:
        super().__init__()
        self._steps = self._x = self._y = np.empty(0)
        self._name = "pixel"
        self._cursor: float | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was measured."""
        return len(self._x) < 2

    def take(self, vectors: VectorHistory, history: MetricHistory, step: float | None) -> None:
        """Read both metrics."""
        self._cursor = step
        self._name = "reconstruction" if history.last("test_reconstruction") else "pixel"
        rate = history.summary("test_kld_nats", max_points=2000)
        lost = history.summary(f"test_{self._name}", max_points=2000)
        count = min(len(rate.steps), len(lost.steps))
        if count >= 2:
            self._steps, self._x, self._y = rate.steps[:count], rate.means[:count], lost.means[:count]
            skip = min(count // 20, count - 2)  # The first measurements are far off and would flatten the path.
            self.x_range, self.y_range = _around(self._x[skip:]), _around(self._y[skip:])
            self.remark = describe(self._name).label.lower()
        self.update()

    def paint_content(self, painter: QPainter, room: QRectF) -> None:
        """Draw the path, older parts fainter, and the newest point or that under the cursor."""
        colour, ground = style.colour("pixel"), style.colour("plot")
        parts = np.array_split(np.arange(len(self._x)), min(6, len(self._x) - 1))
        for i, part in enumerate(parts):
            until = min(part[-1] + 2, len(self._x))
            shade = style.mix(colour, ground, 0.7 * (1.0 - (i + 1) / len(parts)))
            self.line(painter, self._x[part[0] : until], self._y[part[0] : until], shade)
        at = -1 if self._cursor is None else int(np.argmin(np.abs(self._steps - self._cursor)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(style.colour("text"))
        painter.drawEllipse(self.place(float(self._x[at]), float(self._y[at])), 3.5, 3.5)

    def tell(self, x: float, y: float) -> str:
        """Say the step of the nearest point."""
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        near = int(np.argmin(((self._x - x) / (x1 - x0)) ** 2 + ((self._y - y) / (y1 - y0)) ** 2))
        rate, lost = format_value(float(self._x[near])), format_value(float(self._y[near]))
        return f"step {format_steps(self._steps[near])}: KLD {rate} nats, {self._name} {lost}"

    def csv(self) -> str:
        """Return step, rate and distortion."""
        rows = zip(self._steps, self._x, self._y, strict=True)
        return f"step,kld_nats,{self._name}\n" + "".join(f"{s:.0f},{a:.6g},{b:.6g}\n" for s, a, b in rows)


def _around(values: np.ndarray) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    margin = 0.08 * max(high - low, 1e-9 + 0.02 * abs(high))
    return low - margin, high + margin
