"""Sessions with synthetic curves and pictures: shared by the tests of the Monitor page."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from latentlab.core.messages import Preview, TrainingState, TrainingStatus
from latentlab.core.recipe import Recipe
from latentlab.runtime.training_session import TrainingSession
from latentlab.ui.pages.monitor import MonitorPage

GAN = [
    *("pixel", "kld_nats", "kld_per_dim", "beta", "feature_matching", "active_units"),
    *("d_real", "d_recon", "d_fake", "g_recon", "g_fake"),
]
AE = ("pixel", "reconstruction", "loss", "images_per_s")


def recipe(kind: str, **objective: object) -> Recipe:
    return Recipe.model_validate(
        {"model": {"kind": kind, "latent_dim": 16}, "objective": objective, "training": {"steps": 5000}}
    )


def fill(session: TrainingSession, names, rows: int = 200) -> None:
    steps = np.arange(1, rows + 1) * 10.0
    for place, name in enumerate(names):
        session.history.extend(name, steps, 0.2 + place + 0.1 * np.sin(steps / 300))
    session.state = TrainingState.RUNNING
    session.status.put(TrainingStatus(int(steps[-1]), 5000, 803.4, 192.0, "CPU, bf16", 812.0))


def preview(count: int = 6, step: int = 1990) -> Preview:
    rng = np.random.default_rng(step)
    originals, reconstructions, samples = rng.integers(0, 256, (3, count, 16, 16, 3), dtype=np.uint8)
    return Preview(step, originals, reconstructions, samples, np.linspace(0.01, 0.02, count, dtype=np.float32))


def settle(page: MonitorPage) -> None:
    """Let a page show all that its session holds."""
    page._slow_at = 0.0
    page.tick()
    QApplication.processEvents()
    page.group.draw_all()
    QApplication.processEvents()


def colours(image: QImage) -> set[str]:
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
