"""Benchmarks of latentlab: ``python3 scripts/bench.py [--json] [--only NAME...]``.

Prints the machine and, for each measurement, its median, 99th percentile and count. Figures belong to
the machine and the moment: compare within one call, not between machines.

======================== ============================================================================
start_to_first_paint     process start until the window's first picture, warm disk
event_loop_delay         how late a 10 ms timer fires in the window while the demo trains
event_loop_worst         the largest such delay after the first 10 s of training
decode_latency           request to answer of one decode in the window while the demo trains
demo_images_per_s        training speed of the demo inside the window
train_images_per_s.NAME  training speed of a recipe without a window
class_steps_per_s.NAME   steps a second of a semi-supervised VAE, the three in turns
class_steps_ratio.NAME   those with one sampled class over those with the sum over all
explore_move.D           slider moved until its picture is drawn, 64x64, D latent dimensions, two cores, in training
explore_frame.D          time between different pictures drawn during a drag at 125 moves a second
explore_open.D           the page wished for until its sliders are drawn
video_scrub              slider moved until all three panes of a 121x64 clip are drawn, in training
video_nearest            1080p, keyframes 250 apart, nothing prepared: until the nearest frame is drawn
video_exact              the same until the frame itself is drawn
video_build.KIND         frames a second prepared for scrubbing (game: 242x64, 1080p)
video_opencv.KIND        frames a second that OpenCV reads of the same file
video_build_ratio.KIND   the one over the other
monitor_redraw.ROWS      a new value until the Monitor with eight curves is painted, by logged steps
monitor_redraw_ratio     the longest run's median over the shortest's
monitor_memory           bytes of memory that a logged step of a metric takes
monitor_open             a finished run of 10^6 steps and 25 metrics: until its curves are painted
monitor_cost             what watching costs training: page in view against no window, in turns
gradient_shares.NAME     what the shares of gradients cost at their usual interval
map_pan                  pictures a second of a map of 100,000 images that is moved and magnified
map_redraw               the same map drawn at rest, every dot
map_hover_ms             pointer on a dot until its picture is drawn beside it, on the real page
pca_100k_x_256_s         principal directions of 100,000 codes in 256 dimensions
video_long_open          a film of two hours opened until its first frame and reconstruction are drawn
video_long_memory        the most memory over that before, preparing, measuring and scrubbing that film
======================== ============================================================================
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

if os.environ.get("LATENTLAB_BENCH") != "1":  # Run by any Python: set up, then start again inside .venv.
    from _setup import ensure_project, ensure_qt_libraries, venv_python

    ensure_qt_libraries()
    ensure_project()
    os.environ["LATENTLAB_BENCH"] = "1"
    if os.name == "posix":
        os.execv(venv_python(), [str(venv_python()), *sys.argv])
    sys.exit(subprocess.run([str(venv_python()), *sys.argv], check=False).returncode)

HERE = Path(__file__).resolve().parent
RECIPES = {"vae-arena": 150, "vaegan-arena": 60, "cvae-digits": 400}
Result = dict[str, Any]


def result(name: str, unit: str, values: Iterable[float]) -> Result:
    """Summarise measurements."""
    ordered = sorted(values)
    if not ordered:
        raise SystemExit(f"bench: {name} measured nothing")
    p99 = ordered[min(len(ordered) - 1, round(0.99 * (len(ordered) - 1)))]
    return {"name": name, "unit": unit, "median": ordered[len(ordered) // 2], "p99": p99, "n": len(ordered)}


def _window(*arguments: str, script: str = "bench_window.py") -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        environment = {**os.environ, "LATENTLAB_CONFIG": folder}
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            environment.setdefault("QT_QPA_PLATFORM", "offscreen")
        command = [sys.executable, str(HERE / script), arguments[0], str(out), *arguments[1:]]
        subprocess.run(command, check=True, env=environment)
        return dict(json.loads(out.read_text()))


def bench_start(quick: bool) -> list[Result]:
    """Start the app several times; the first start only warms the disk."""
    _window("start")
    starts = [_window("start") for _ in range(3 if quick else 9)]
    if any(start["torch_loaded"] for start in starts):
        raise SystemExit("bench: torch was imported before the first paint")
    return [result("start_to_first_paint", "s", (start["first_paint_s"] for start in starts))]


def bench_window(quick: bool) -> list[Result]:
    """Let the demo train in its window."""
    seen = _window("demo", "20" if quick else "60")
    return [
        result("event_loop_delay", "ms", seen["delays_ms"]),
        result("event_loop_worst", "ms", [max(seen["settled_delays_ms"])]),
        result("decode_latency", "ms", seen["decode_ms"]),
        result("demo_images_per_s", "images/s", [seen["images_per_s"]]),
    ]


def bench_video(quick: bool) -> list[Result]:
    """Scrub through clips, prepared in training and not prepared; prepare clips beside OpenCV."""
    scrub = _window("scrub", "40" if quick else "200", script="bench_video.py")
    cold = _window("cold", "8" if quick else "40", script="bench_video.py")
    rates = _window("build", "2" if quick else "7", script="bench_video.py")
    long = _window("long", "20" if quick else "120", script="bench_video.py")
    results = [
        result("video_scrub", "ms", scrub["exact_ms"]),
        result("video_nearest", "ms", cold["nearest_ms"]),
        result("video_exact", "ms", cold["exact_ms"]),
        result("video_long_open", "s", [long["drawn_s"]]),
        result("video_long_memory", "MB", [long["more_mb"]]),
    ]
    for kind in ("game", "1080p"):
        results.append(result(f"video_build.{kind}", "frames/s", rates[f"{kind}.fps"]))
        results.append(result(f"video_opencv.{kind}", "frames/s", rates[f"{kind}.opencv_fps"]))
        results.append(result(f"video_build_ratio.{kind}", "", rates[f"{kind}.ratio"]))
    return results


def bench_explore(quick: bool) -> list[Result]:
    """Move and drag sliders while a 64x64 VAE trains on two cores."""
    results = []
    for dimensions in ("16", "512"):
        seen = _window(dimensions, "60" if quick else "400", script="bench_explore.py")
        if seen["stale"] or not seen["last_is_newest"]:
            raise SystemExit("bench: a stale picture was shown, or shown last")
        results += [
            result(f"explore_move.{dimensions}", "ms", seen["move_ms"]),
            result(f"explore_frame.{dimensions}", "ms", seen["frame_ms"]),
            result(f"explore_open.{dimensions}", "ms", seen["open_ms"]),
        ]
    return results


def bench_monitor(quick: bool) -> list[Result]:
    """Redraw, memory, opening, and what watching costs the training."""
    script = "bench_monitor.py"
    redraw = _window("redraw", "15" if quick else "60", script=script)
    medians = {rows: sorted(took)[len(took) // 2] for rows, took in redraw.items()}
    ends = [medians[rows] for rows in sorted(medians, key=int)]
    cost = _window("cost", "30" if quick else "240", script=script)
    shares = _window("shares", "3" if quick else "12", script="bench_steps.py")
    return [
        *(result(f"monitor_redraw.{rows}", "ms", took) for rows, took in redraw.items()),
        result("monitor_redraw_ratio", "", [max(ends) / min(ends)]),
        result("monitor_memory", "bytes", [_window("memory", "1000000", script=script)["bytes"]]),
        result("monitor_open", "s", _window("open", "1000000", script=script)["seconds"]),
        result("monitor_cost", "%", cost["percent"]),
        *(result(f"gradient_shares.{name}", "%", [percent]) for name, percent in shares.items()),
    ]


def bench_map(quick: bool) -> list[Result]:
    """Move over a map of 100,000 images, point at some of them, and find principal directions."""
    pan = _window("pan", "60" if quick else "300", script="bench_map.py")
    hover = _window("hover", "20" if quick else "100", script="bench_map.py")
    found = _window("pca", "2" if quick else "7", script="bench_map.py")
    return [
        result("map_pan", "frames/s", (1000 / ms for ms in pan["redraw_ms"])),
        result("map_redraw", "ms", pan["rest_ms"]),
        result("map_hover_ms", "ms", hover["hover_ms"]),
        result("pca_100k_x_256_s", "s", found["pca_s"]),
    ]


def bench_training(quick: bool) -> list[Result]:
    """Train recipes headless on the best device there is."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for name, steps in RECIPES.items():
            command = [sys.executable, "-m", "latentlab", "train", name, "--json", "--out", f"{folder}/{name}"]
            more = ["--steps", str(steps // 3 if quick else steps), "--set", "training.checkpoint_every=1000000"]
            done = subprocess.run([*command, *more], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            speed = json.loads(done.stdout)["images_per_s"]
            results.append(result(f"train_images_per_s.{name}", "images/s", [speed]))
    return results


def bench_classes(quick: bool) -> list[Result]:
    """Compare what a step costs that samples the class of an unlabelled image with one that sums over all."""
    rates = _window("classes", "2" if quick else "9", script="bench_steps.py")
    summed, *sampled = rates
    return [
        *(result(f"class_steps_per_s.{name}", "steps/s", rate) for name, rate in rates.items()),
        *(
            result(f"class_steps_ratio.{name}", "", (a / b for a, b in zip(rates[name], rates[summed], strict=True)))
            for name in sampled
        ),
    ]


BENCHES: dict[str, Callable[[bool], list[Result]]] = {
    "start": bench_start,
    "window": bench_window,
    "explore": bench_explore,
    "video": bench_video,
    "monitor": bench_monitor,
    "map": bench_map,
    "training": bench_training,
    "classes": bench_classes,
}


def environment() -> dict[str, Any]:
    """Describe the machine."""
    import torch

    from latentlab.models.device import choose_device

    return {
        "device": choose_device().describe(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.system(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def main() -> int:
    """Run the benchmarks and print them."""
    parser = argparse.ArgumentParser(description="Benchmarks of latentlab.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", nargs="+", choices=list(BENCHES), default=list(BENCHES), help="run these only")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, shorter runs")
    args = parser.parse_args()
    facts = environment()
    results = [line for name in args.only for line in BENCHES[name](args.quick)]
    if args.json:
        print(json.dumps({"environment": facts, "results": results}))
        return 0
    print("  ".join(f"{key} {value}" for key, value in facts.items()))
    for line in results:
        print(f"{line['name']:<36} {line['median']:>10.3f} {line['unit']:<9} p99 {line['p99']:.3f}  n {line['n']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
