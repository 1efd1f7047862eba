"""What the warm-up does to a process: looked at from a fresh one."""

from __future__ import annotations

import gc
import importlib.util
import json
import subprocess
import sys

import pytest

from latentlab.runtime.threads import cores, load_libraries, torch_threads
from latentlab.runtime.warmup import WarmupThread, without_collections

SCRIPT = """
import gc, json, sys, threading
from PySide6.QtCore import QCoreApplication
from latentlab.runtime import threads
threads.torch_threads = lambda: 1
from latentlab.runtime.poll import EventLoopMonitor
from latentlab.runtime.warmup import WarmupThread
app = QCoreApplication([])
facts = {"torch_before": "torch" in sys.modules}
warmup = WarmupThread()
warmup.done.connect(app.quit)
monitor = EventLoopMonitor()
monitor.start()
warmup.start()
app.exec()
assert warmup.shutdown(60000)
facts["dynamo"] = "torch._dynamo" in sys.modules
facts["ticks"] = monitor.delay.summary().count
facts["frozen"] = gc.get_freeze_count()
facts["collecting"] = gc.isenabled()
import torch
counts = []
thread = threading.Thread(target=lambda: counts.append(torch.get_num_threads()))
thread.start(); thread.join()
facts["threads_later"], facts["threads_main"] = counts[0], torch.get_num_threads()
print(json.dumps(facts))
"""


def test_the_warm_up_pays_the_imports_and_caps_the_threads_everywhere():
    done = subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    facts = json.loads(done.stdout)
    assert not facts["torch_before"]
    assert facts["dynamo"]
    assert facts["frozen"] > 100_000
    assert facts["collecting"]
    assert facts["ticks"] > 20
    assert facts["threads_later"] == facts["threads_main"] == 1


LOADED = """
import sys
from latentlab.runtime.threads import load_libraries
before = load_libraries()
with open("/proc/self/maps") as file:
    maps = file.read()
assert before == ("libtorch_cpu" in maps), maps
assert "torch" not in sys.modules
import torch
assert float(torch.ones(3).sum()) == 3.0
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the import loads them")
def test_the_libraries_are_there_before_the_import():
    done = subprocess.run([sys.executable, "-W", "error", "-c", LOADED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_torch_no_library_is_loaded(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not load_libraries()


def test_one_core_is_left_to_the_window():
    assert torch_threads() == max(1, cores() - 1)


def test_collections_come_back_as_they_were():
    gc.disable()
    try:
        with without_collections():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
    with without_collections():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.unfreeze()


def test_a_failing_warm_up_is_reported_and_still_ends(qtbot, monkeypatch):
    from latentlab.runtime import warmup

    def fail() -> None:
        raise OSError("libtorch is damaged")

    seen = []
    monkeypatch.setattr(warmup, "warm_up", fail)
    monkeypatch.setattr(sys, "excepthook", lambda *args: seen.append(str(args[1])))
    thread = WarmupThread()
    with qtbot.waitSignal(thread.done):
        thread.start()
    assert thread.shutdown(2000)
    assert seen == ["libtorch is damaged"]
