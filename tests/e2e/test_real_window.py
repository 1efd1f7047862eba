"""The whole path in a real window under Xvfb: every click, drag and key goes through the X server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from real_app import RealApp
from real_display import missing_programs, virtual_display

from latentlab.data.arena import write_arena_video

pytestmark = [
    pytest.mark.xvfb,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="Xvfb is for Linux"),
    pytest.mark.skipif(bool(missing_programs()), reason=f"not installed: {', '.join(missing_programs())}"),
]


@pytest.fixture
def display() -> Iterator[str]:
    with virtual_display() as name:
        yield name


@pytest.fixture
def demo(display: str, tmp_path: Path) -> Iterator[RealApp]:
    app = RealApp(display, tmp_path, "--demo", "--size", "1280x800", "--theme", "dark")
    yield app
    app.kill()


def frame_in_sequence(path: Path, number: int) -> np.ndarray:
    """Return frame ``number`` as an independent reader counts it."""
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == number:
                return frame.to_ndarray(format="rgb24")
    raise AssertionError(f"{path} has no frame {number}")


def test_a_first_session(demo: RealApp, tmp_path: Path):
    watch_the_demo(demo)
    pause_and_resume(demo)
    drag_a_slider(demo)
    scrub_a_video(demo, tmp_path)
    take_a_screenshot(demo)
    run = Path(demo.training()["run"])
    assert demo.training()["state"] == "running"
    assert demo.close_window() == 0
    kept = json.loads((run / "checkpoints" / "last" / "state.json").read_text())
    assert kept["step"] > 0


def watch_the_demo(app: RealApp) -> None:
    """The demo starts by itself, and what the screen shows moves."""
    app.wait("the demo trains", lambda: app.training()["step"] > 20, 120)
    assert app.training()["kind"] == "vaegan"
    assert app.ask("page")["page"] == "monitorPage"
    before, step = app.screen(), app.training()["step"]
    app.wait("later steps", lambda: app.training()["step"] > step + 40)
    x, y, width, height = app.ask("rect", name="monitorPage")["rect"]
    region = np.s_[y : y + height, x : x + width // 2]
    app.wait("curves move", lambda: np.mean(np.any(app.screen()[region] != before[region], axis=2)) > 0.002)
    assert {"kld_per_dim", "beta", "pixel", "feature_matching"} <= set(app.training()["metrics"])


def pause_and_resume(app: RealApp) -> None:
    """Pause holds the step; resume goes on."""
    app.click("actionPause")
    app.wait("paused", lambda: app.training()["state"] == "paused")
    held, screen = app.training()["step"], app.screen()
    for _ in range(10):
        app.screen()  # The window goes on drawing meanwhile, the training does not.
        assert app.training()["step"] == held
    assert app.screen().shape == screen.shape
    app.click("actionPause")
    app.wait("resumed", lambda: app.training()["step"] > held)


def drag_a_slider(app: RealApp) -> None:
    """A drag of a latent slider changes z and the decoded picture. Paused, so that nothing else can."""
    app.hand.key("ctrl+2")
    app.wait("the explore page", lambda: app.ask("page")["page"] == "explorePage")
    app.wait("sliders", lambda: app.ask("visible", name="latentSlider2")["visible"])
    app.click("actionPause")
    app.wait("paused", lambda: app.training()["state"] == "paused")
    settled: list[np.ndarray] = [app.picture("explorePicture")]

    def still() -> bool:
        settled.append(app.picture("explorePicture"))
        return np.array_equal(settled[-1], settled[-2])

    app.wait("a still picture", still)
    x, y, width, height = app.ask("rect", name="latentSlider2")["rect"]
    start_z = app.ask("point")["z"]
    app.hand.drag((x + width // 2, y + height // 2), (x + int(width * 0.75), y + height // 2))
    moved = app.wait("z follows", lambda: (z := app.ask("point")["z"]) != start_z and z)
    assert [i for i, (a, b) in enumerate(zip(start_z, moved, strict=True)) if a != b] == [2]
    app.wait("the picture follows", lambda: not np.array_equal(app.picture("explorePicture"), settled[-1]))
    app.click("actionPause")
    app.wait("resumed", lambda: app.training()["state"] == "running")


def scrub_a_video(app: RealApp, folder: Path) -> None:
    """A file opened by its path is scrubbed to frame 500: the pixels are those of frame 500."""
    clip = folder / "battle.mp4"
    write_arena_video(clip, battles=2, frames_per_battle=300, size=(32, 56), seed=3)
    app.hand.key("ctrl+o")
    dialog = app.hand("search", "--sync", "--onlyvisible", "--name", "^Open").splitlines()[-1]
    app.hand("windowfocus", "--sync", dialog)
    app.hand.type(str(clip))
    app.hand.key("Return")
    app.wait("the video page", lambda: app.ask("page")["page"] == "videoPage", 20)
    app.focus()
    app.wait("the clip", lambda: app.ask("video")["frames"] == 600)
    x, y, width, height = app.ask("rect", name="videoSlider")["rect"]
    app.hand.drag((x + 20, y + height // 2), (x + width * 5 // 6, y + height // 2))
    near = app.ask("video")["frame"]
    assert 440 < near < 560
    step = "Right" if near < 500 else "Left"
    app.hand.key(*[step] * abs(500 - near))
    app.wait("frame 500", lambda: app.ask("video")["frame"] == 500)
    expected = frame_in_sequence(clip, 500)
    app.wait("its pixels", lambda: np.array_equal(app.pane("original"), expected), 10)
    assert app.wait("its reconstruction", lambda: app.pane("reconstruction") is not None, 30)
    error = np.mean((app.pane("reconstruction").astype(float) - expected) ** 2) / 255**2
    assert error < 0.5


def take_a_screenshot(app: RealApp) -> None:
    """F12 puts a picture of the page on disk that says where it is from."""
    app.hand.key("ctrl+1")
    app.hand.key("F12")
    folder = Path(app.screenshots)
    (picture,) = app.wait("a screenshot", lambda: list(folder.glob("*.png")), 20)
    with Image.open(picture) as image:
        assert image.width > 800
        assert any("run" in key.lower() for key in image.text)


def test_a_class_is_sampled(display: str, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "latentlab", "train", "cvae-digits", "--steps", "150", "--out", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    app = RealApp(display, tmp_path, str(tmp_path / "run"), "--page", "condition", "--size", "1280x800")
    try:
        app.wait("the grid", lambda: app.ask("page")["page"] == "conditionPage")
        app.wait("a decoded cell", lambda: app.ask("visible", name="conditionPicture")["visible"])
        app.click("classButton3")
        app.wait("class 3", lambda: app.ask("class")["label"] == 3)
        three = app.wait("its picture", lambda: stable(app, "conditionPicture"))
        app.click("classButton1")
        app.wait("class 1", lambda: app.ask("class")["label"] == 1)
        app.wait("another picture", lambda: not np.array_equal(app.picture("conditionPicture"), three))
        assert app.close_window() == 0
    finally:
        app.kill()


def stable(app: RealApp, name: str) -> np.ndarray | None:
    """Return the picture once two looks see the same."""
    first, second = app.picture(name), app.picture(name)
    return second if np.array_equal(first, second) else None
