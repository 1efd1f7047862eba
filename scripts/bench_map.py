"""How quickly the Map page answers with 100,000 images; ``bench.py`` runs each part in a process of its own.

``python bench_map.py pan OUT TIMES``     a move or zoom until the map is drawn: on the way, and at rest
``python bench_map.py hover OUT TIMES``   pointer on a dot until its picture is drawn beside it, on the real page
``python bench_map.py pca OUT TIMES``     principal directions of 100,000 codes in 256 dimensions
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QApplication

    from latentlab.core.latent_map import MapLayout
    from latentlab.core.messages import WeightSnapshot

IMAGES, DIM = 100_000, 16
SIZE = (900, 700)
PATIENCE_S = 300.0


def clusters(count: int, dim: int) -> np.ndarray:
    """Return codes (count, dim) float32 in ten clusters."""
    rng = np.random.default_rng(0)
    return (rng.standard_normal((count, dim)) + 2 * rng.standard_normal((10, dim))[np.arange(count) % 10]).astype("f4")


def layout_of_many() -> MapLayout:
    """Return the map of a made-up survey."""
    from latentlab.core.latent_map import Plane, flat_layout
    from latentlab.core.latent_pca import pca
    from latentlab.core.latent_survey import LatentSurvey
    from latentlab.core.messages import ModelInfo
    from latentlab.core.recipe import Recipe

    codes = clusters(IMAGES, DIM)
    info = ModelInfo(Recipe(), (32, 32, 1), 10, tuple("0123456789"))
    survey = LatentSurvey(1, info, np.arange(IMAGES), codes, codes * 0, labels=np.arange(IMAGES) % 10)
    return flat_layout(survey, Plane(), pca(codes))


def pan(times: int) -> dict[str, list[float]]:
    """Move and magnify by turns; ``repaint`` draws before it returns."""
    from latentlab.app import build_application
    from latentlab.ui import style
    from latentlab.ui.pages.map_colours import colour_points
    from latentlab.ui.pages.map_view import MapView

    app = build_application()
    style.apply_theme(app, "dark")
    view, layout = MapView(), layout_of_many()
    view.resize(*SIZE)
    view.show()
    view.set_layout(layout)
    view.set_colours(colour_points(layout, "class"))
    wait(app, lambda: view.windowHandle() is not None and view.windowHandle().isExposed())
    found: dict[str, list[float]] = {"redraw_ms": [], "rest_ms": []}
    for number in range(times):
        began = time.perf_counter()
        if number % 3:
            view.pan(7 if number % 40 < 20 else -7, 4 if number % 60 < 30 else -4)
        else:
            view.zoom(1.05 if number % 60 < 30 else 1 / 1.05)
        view.repaint()
        found["redraw_ms"].append((time.perf_counter() - began) * 1000)
    view._on_settled()
    for _ in range(max(5, times // 10)):
        began = time.perf_counter()
        view.redraw()
        view.repaint()
        found["rest_ms"].append((time.perf_counter() - began) * 1000)
    view.close()
    return found


def many_images(folder: Path) -> WeightSnapshot:
    """Write 100,000 pictures, and return weights of a model that encodes them."""
    from latentlab.core.messages import ModelInfo, WeightSnapshot
    from latentlab.core.recipe_io import apply_settings, find_recipe
    from latentlab.models.registry import build_model

    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 28, 28), dtype=np.uint8)
    path = folder / "many.npz"
    np.savez(path, images=images, labels=np.arange(IMAGES) % 10)
    recipe = apply_settings(find_recipe("vae-mnist"), [f"data.spec=npz:{path}", "data.size=[28,28]"])
    info = ModelInfo(recipe, (28, 28, 1), 10, tuple("0123456789"), folder)
    return WeightSnapshot(1, info, dict(build_model(info, 0).inference_state()))


def hover(times: int) -> dict[str, list[float]]:
    """Point at dots of a survey that was really taken, and wait until the picture is drawn."""
    from latentlab.app import build_application, build_window

    app, chooser = build_application(), np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as name:
        os.environ["LATENTLAB_CACHE"] = f"{name}/cache"
        window = build_window(Path(name), size=(1280, 800), keep=False)
        window.show()
        window.context.training.weights.put(many_images(Path(name)))
        window.show_page("mapPage")
        page = window.area.page("mapPage")
        assert page is not None
        wait(app, lambda: page.layout_shown is not None and page.layout_shown.survey.complete)
        wait(app, lambda: not page.survey_service.busy)
        found: list[float] = []
        for _ in range(times):
            number = int(chooser.choice(np.flatnonzero(page.map.in_view())))
            began = time.perf_counter()
            page.map.look_at(page.map.place_of(number))
            wait(app, lambda: page.map.thumbnail_number == page.map.hover >= 0)
            page.map.repaint()
            found.append((time.perf_counter() - began) * 1000)
        window.close()
        wait(app, lambda: window.shutdown.done)
    return {"hover_ms": found}


def wait(app: QApplication, good: Callable[[], bool]) -> None:
    """Let the window work until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not good():
        if time.monotonic() > deadline:
            raise SystemExit("bench: the map did not answer")
        app.processEvents()
        time.sleep(0.0005)


def principal(times: int) -> dict[str, list[float]]:
    """Find principal directions."""
    from latentlab.app import limit_thread_environment
    from latentlab.core.latent_pca import pca

    limit_thread_environment()
    codes = clusters(IMAGES, 256)
    pca(codes[:1000])
    found = []
    for _ in range(times):
        began = time.perf_counter()
        pca(codes).project(codes, (0, 1))
        found.append(time.perf_counter() - began)
    return {"pca_s": found}


def main() -> int:
    """Measure one part."""
    what, out, times = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    out.write_text(json.dumps({"pan": pan, "hover": hover, "pca": principal}[what](times)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
