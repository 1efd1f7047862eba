"""Pictures of every page, dark and light, in two sizes: ``python3 scripts/pictures.py [--out DIR] [--sets NAME...]``.

Trains a short run of each set, opens it in a real window, shows every page with content in it, and
saves what is on screen. ``--docs`` makes the pictures of the README instead: built-in data only.
Sets other than ``arena`` and ``digits`` need the real data: ``--shared DIR``.
"""

# ruff: noqa: E402 - the imports of the project follow the set-up that makes them possible

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if os.environ.get("LATENTLAB_PICTURES") != "1":  # Run by any Python: set up, then start again inside .venv.
    from _setup import ensure_project, ensure_qt_libraries, venv_python

    ensure_qt_libraries()
    ensure_project()
    environment = {**os.environ, "LATENTLAB_PICTURES": "1"}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.exit(subprocess.run([str(venv_python()), *sys.argv], check=False, env=environment).returncode)

from PySide6.QtWidgets import QApplication

from latentlab.app import build_application, build_window
from latentlab.runtime.warmup import WarmupThread
from latentlab.ui import style

SIZES = ((1280, 800), (1920, 1080))
THEMES = ("dark", "light")
PAGES = ("monitorPage", "explorePage", "conditionPage", "mapPage", "videoPage")
EXPLORE_PANES = ("traversals", "plane", "walk", "corners", "arithmetic")
DOCS_PANES = ("traversals",)
SPLATOON = "splatoon2"


@dataclass(frozen=True)
class PictureSet:
    """What to train for one set of pictures."""

    recipe: str
    steps: int
    settings: tuple[str, ...] = ()
    data: str = ""


def picture_sets(shared: Path) -> dict[str, PictureSet]:
    """Return the sets by name."""
    crop = ("data.crop=[0,0,121,64]", "data.limit=3000")
    return {
        "arena": PictureSet("vaegan-arena", 1500),
        "digits": PictureSet("cvae-digits", 2500),
        "mnist": PictureSet("cvae-digits", 1500, ("data.size=[28,28]",), f"mnist:{shared}/mnist"),
        SPLATOON: PictureSet("vaegan-arena", 800, crop, f"video:{shared}/{SPLATOON}/*.mp4"),
    }


def train(name: str, chosen: PictureSet, runs: Path) -> Path:
    """Train a set's run, unless that was done before, and return its folder."""
    run = runs / name
    if (run / "checkpoints" / "last").is_dir():
        return run
    command = [
        sys.executable,
        "-m",
        "latentlab",
        "train",
        chosen.recipe,
        "--out",
        str(run),
        "--steps",
        str(chosen.steps),
    ]
    command += ["--data", chosen.data] if chosen.data else []
    for setting in chosen.settings:
        command += ["--set", setting]
    subprocess.run(command, check=True)
    return run


def clip_for(name: str, shared: Path, folder: Path) -> Path | None:
    """Return the video that a set's Video page shows: its own, or a generated battle."""
    if name == SPLATOON:
        return sorted((shared / SPLATOON).glob("*.mp4"))[0]
    if name != "arena":
        return None
    clip = folder / "arena.mp4"
    if not clip.exists():
        from latentlab.data.arena import write_arena_video

        write_arena_video(clip, battles=2, frames_per_battle=300, size=(128, 224), seed=5)
    return clip


class Photographer:
    """One window, shown page by page."""

    def __init__(self, app: QApplication, runs: Path, out: Path) -> None:
        self.app, self.out = app, out
        self.window = build_window(runs, theme="dark", size=SIZES[0], keep=False)
        self.window.show()
        self.window.make_all_pages()

    def wait(self, what: str, condition: Callable[[], Any], timeout_s: float = 60.0) -> None:
        """Run the event loop until ``condition`` holds."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(f"pictures: {what} did not come within {timeout_s:g} s")
            self.app.processEvents()
            time.sleep(0.01)

    def settle(self, seconds: float) -> None:
        """Let the window go on for a while."""
        end = time.monotonic() + seconds
        self.wait("time", lambda: time.monotonic() > end, seconds + 30)

    def open(self, run: Path, clip: Path | None) -> None:
        """Open a run, and a clip on the Video page."""
        session = self.window.context.training
        self.window.commands.open_path(run)
        self.wait("the run", lambda: session.info and session.info.run == run and session.weights.peek()[1])
        if clip is not None:
            self.window.show_page("videoPage")
            page = self.window.area.page("videoPage")
            opened: list[Path] = []
            self.window.context.video.opened.connect(lambda info: opened.append(info.path))
            page.open_video(clip)
            self.wait("the clip", lambda: opened and page.panes.picture("reconstruction") is not None)
            page.go_to(260)
            self.settle(8)

    def shoot(
        self,
        name: str,
        pages: tuple[str, ...],
        themes: tuple[str, ...],
        sizes: tuple[tuple[int, int], ...],
        panes: tuple[str, ...] = (),
    ) -> None:
        """Save every page in every theme and size, the Explore page with each of its grids in ``panes`` too."""
        for width, height in sizes:
            self.window.resize(width, height)
            for theme in themes:
                style.apply_theme(self.app, theme)
                for page in pages:
                    self.window.show_page(page) if page != "welcome" else self.window.choose_recipe()
                    if page == "mapPage":
                        self.wait("the map", self.map_is_there, 600)
                    self.settle(1.5)
                    if page == "explorePage":
                        self.begin_at_a_picture()
                    size = f"{theme}-{width}"
                    self.save(f"{name}-{page.removesuffix('Page')}-{size}")
                    for pane in panes if page == "explorePage" else ():
                        lower = self.window.area.page(page).stage.lower_area
                        lower.show_pane(pane)
                        self.settle(3)
                        self.save(f"{name}-explore-{pane}-{size}")
                        lower.show_pane("strip")

    def begin_at_a_picture(self) -> None:
        """Let the Explore page start from a picture of the data, and wait for its neighbours."""
        page = self.window.area.page("explorePage")
        page.panel.start.choose_from_gallery(7)
        surveys = self.window.context.survey.surveys
        if page.info is not None and page.info.has_encoder:
            self.wait("a survey", lambda: surveys.get()[1], 240)
        self.settle(2)

    def save(self, name: str) -> None:
        """Save what the window shows."""
        file = self.out / f"{name}.png"
        self.window.grab().save(str(file))
        print(file)

    def map_is_there(self) -> bool:
        """Whether the whole data set is on the map."""
        layout = self.window.area.page("mapPage").layout_shown
        return layout is not None and layout.survey.complete

    def close(self) -> None:
        """End the window and its threads."""
        self.window.close()
        self.wait("the end", lambda: self.window.shutdown.done)


def main() -> int:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description="Pictures of every page of latentlab.")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "pictures", help="folder for the pictures")
    parser.add_argument("--sets", nargs="+", default=["arena", "digits"], help="arena, digits, mnist, splatoon2")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data", help="folder with real data")
    parser.add_argument("--docs", action="store_true", help="make the pictures under docs/images")
    args = parser.parse_args()
    out = ROOT / "docs" / "images" if args.docs else args.out
    runs = ROOT / "out" / "picture-runs"
    for folder in (out, runs):
        folder.mkdir(parents=True, exist_ok=True)
    known = picture_sets(args.shared)
    trained = {name: train(name, known[name], runs) for name in (("arena", "digits") if args.docs else args.sets)}
    app = build_application()
    warmup = WarmupThread()
    warmup.start()
    warmup.wait()
    themes, sizes = (("dark",), SIZES[:1]) if args.docs else (THEMES, SIZES)
    photographer = Photographer(app, runs, out)
    photographer.shoot("start", ("welcome",), themes, sizes)
    for name, run in trained.items():
        clip = clip_for(name, args.shared, runs)
        photographer.open(run, clip)
        pages = PAGES if clip is not None else PAGES[:4]
        photographer.shoot(name, pages, themes, sizes, DOCS_PANES if args.docs else EXPLORE_PANES)
    photographer.shoot("all", ("runsPage",), themes, sizes)
    photographer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
