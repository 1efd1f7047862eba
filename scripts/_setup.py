"""Make a checkout ready to run: virtual environment, project, Qt's system libraries.

Standard library only, because it runs before anything is installed.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "latentlab-setup.txt"
MINIMUM = (3, 11)

# What Qt's xcb and offscreen plugins and OpenCV load at run time: library -> Debian package.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libOpenGL.so.0": "libopengl0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
TEST_PROGRAMS = {"Xvfb": "xvfb", "xdotool": "xdotool"}
ROOM_GB = 6.0  # Of the packages on x86-64 Linux, where torch brings CUDA; elsewhere they take one or two.


def say(text: str) -> None:
    """Print a line of progress; standard output stays free for the program's own."""
    print(f"latentlab setup: {text}", file=sys.stderr, flush=True)


def fail(text: str) -> None:
    """Stop with one sentence."""
    raise SystemExit(f"latentlab setup: {text}")


def venv_python() -> Path:
    """Return the interpreter of the project's environment."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(command: Sequence[str | Path], **more: object) -> int:
    return subprocess.run([str(part) for part in command], check=False, cwd=ROOT, **more).returncode  # type: ignore[call-overload,no-any-return]


def _can_use_apt() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: Sequence[str], why: str) -> bool:
    """Install Debian packages when that is possible here, else print the one command to type."""
    if not _can_use_apt():
        say(f"missing {why}. On Debian or Ubuntu type: sudo apt-get install -y {' '.join(packages)}")
        return False
    say(f"installing {why}: {' '.join(packages)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"env": env, "stdout": subprocess.DEVNULL}
    _run(["apt-get", "update", "-qq"], **quiet)
    code = _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], **quiet)
    if code:
        say(f"apt-get could not install {' '.join(packages)}")
    return code == 0


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_fonts() -> bool:
    places = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts"]
    return any(next(place.rglob("*.[to]t[fc]"), None) for place in places if place.is_dir())


def ensure_qt_libraries() -> None:
    """Make sure that Qt finds its system libraries and one font (Linux only)."""
    if sys.platform != "linux":
        return
    missing = [package for library, package in QT_LIBRARIES.items() if not _loads(library)]
    if not _has_fonts():
        missing.append("fonts-dejavu-core")
    if missing:
        apt_install(missing, "Qt's system libraries")


def ensure_test_programs() -> None:
    """Make sure that the tests find a virtual display and a hand for mouse and keyboard (Linux only)."""
    if sys.platform != "linux":
        return
    missing = [package for program, package in TEST_PROGRAMS.items() if shutil.which(program) is None]
    if missing and not apt_install(missing, "the programs of the window tests"):
        say("the tests that need them will be skipped")


def _create_venv() -> None:
    say(f"creating {VENV.name}")
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        if not apt_install([f"python{version}-venv"], "Python's venv module"):
            fail(f"this Python cannot create virtual environments; install python{version}-venv")
    if venv_python().exists():
        return
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(VENV)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(VENV, ignore_errors=True)
        fail(f"the virtual environment could not be created: {error}")


def _fingerprint(extras: str) -> str:
    facts = (ROOT / "pyproject.toml").read_bytes() + sys.version.encode() + str(ROOT).encode()
    return f"{extras} {hashlib.sha256(facts).hexdigest()}"


def free_gb() -> float:
    """Return how much room pip has: on the checkout's disk or on that of temporary files, whichever has less."""
    return min(shutil.disk_usage(place).free for place in (ROOT, tempfile.gettempdir())) / 1e9


def why_pip_failed(room_gb: float) -> str:
    """Return the sentence for a failed installation that began with ``room_gb`` gigabytes free."""
    failed = "pip could not install the packages; its message is above."
    if room_gb < ROOM_GB:
        return (
            f"{failed} The disk had {room_gb:.1f} GB free and about {ROOM_GB:.0f} are needed: "
            "make room and run this again, it goes on where it stopped"
        )
    return f"{failed} Check the network and run this again"


def ensure_project(extras: str = "") -> None:
    """Create ``.venv`` and install the project into it, unless that was done for this very pyproject.toml."""
    if sys.version_info < MINIMUM:
        fail(f"Python {MINIMUM[0]}.{MINIMUM[1]} or newer is needed; this is {sys.version.split()[0]}")
    wanted = _fingerprint(extras)
    installed = STAMP.read_text().splitlines() if STAMP.exists() else []
    covered = {wanted, _fingerprint("dev")}
    if venv_python().exists() and covered & set(installed):
        return
    if not venv_python().exists():
        _create_venv()
    room = free_gb()
    say(f"installing latentlab and its packages; the first time takes some minutes and about {ROOM_GB:.0f} GB")
    if room < ROOM_GB:  # Only said: with a processor's torch, or most packages there already, it is enough.
        say(f"only {room:.1f} GB are free on the disk")
    target = f"{ROOT}[{extras}]" if extras else str(ROOT)
    code = _run(
        [venv_python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", target],
        stdout=sys.stderr,
    )
    if code:
        fail(why_pip_failed(room))
    STAMP.write_text(wanted + "\n")


def run_module(module: str, arguments: Sequence[str], **more: object) -> int:
    """Run ``python -m module`` in the project's environment and return its exit code."""
    return _run([venv_python(), "-m", module, *arguments], **more)
