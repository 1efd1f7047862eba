from __future__ import annotations

import os
import subprocess
import sys

import pytest

from latentlab.core.memory import KEPT_BYTES, keep_freed_memory, use_huge_pages

SCRIPT = """
import resource, sys
from latentlab.core.memory import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit(3)
bytearray(64 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    bytearray(b"x") * (64 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("this C library has no mallopt")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about glibc")
def test_freed_memory_is_taken_again_without_page_faults():
    pages = 4 * (64 << 20) // os.sysconf("SC_PAGE_SIZE")
    usual = page_faults("as is")
    if usual < 0.9 * pages:
        pytest.skip("this system gives huge pages unasked")
    assert page_faults("keep") < 0.3 * usual


def test_elsewhere_than_on_linux_nothing_happens(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert keep_freed_memory() is False


def test_thresholds_fit_what_mallopt_takes():
    assert KEPT_BYTES < 2**31  # an int


def test_a_setting_of_the_user_stays(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "0")
    use_huge_pages()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "0"
    monkeypatch.delenv("THP_MEM_ALLOC_ENABLE")
    use_huge_pages()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "1"
