from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from runtime_fakes import decode

from latentlab.core.messages import DecodeRequest, EncodeRequest, ErrorReport, InferenceResult
from latentlab.runtime import inference_queue
from latentlab.runtime.chunks import join, piece_of, size_of
from latentlab.runtime.inference_queue import InferenceQueue

PANES = ("drag", "grid")


class Model:
    """A worker and panes, stepped by hand: what is delivered must come in order, and end with the newest."""

    def __init__(self) -> None:
        self.queue = InferenceQueue()
        self.generation = 0
        self.newest: dict[str, int] = {}
        self.delivered: dict[str, list[int]] = {pane: [] for pane in PANES}
        self.dropped: dict[str, int] = dict.fromkeys(PANES, 0)

    def post(self, pane: str, size: int) -> None:
        self.generation += 1
        self.newest[pane] = self.generation
        self.queue.post(pane, DecodeRequest(np.zeros((size, 2), np.float32), generation=self.generation))

    def drop(self, pane: str) -> None:
        self.queue.drop(pane)
        self.newest.pop(pane, None)
        self.dropped[pane] = self.generation

    def work(self, piece: int = 8, interrupt=None) -> bool:
        job = self.queue.take(0.0)
        if job is None:
            return False
        job.started = True
        if interrupt is not None:
            interrupt()
        job.done += min(piece, job.left)
        if job.left <= 0 and self.queue.finish(job):
            self.delivered[job.pane].append(job.request.generation)
        return True


actions = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.sampled_from(PANES), st.integers(1, 40)),
        st.tuples(st.just("post while working"), st.sampled_from(PANES), st.integers(1, 40)),
        st.tuples(st.just("work"), st.just(""), st.integers(1, 3)),
        st.tuples(st.just("drop"), st.sampled_from(PANES), st.just(0)),
    ),
    max_size=60,
)


@given(actions)
def test_answers_come_in_order_and_the_newest_last_whatever_happens(steps):
    model = Model()
    for what, pane, number in steps:
        if what == "post":
            model.post(pane, number)
        elif what == "post while working":
            model.work(interrupt=lambda pane=pane, number=number: model.post(pane, number))
        elif what == "drop":
            model.drop(pane)
        else:
            for _ in range(number):
                model.work()
    while model.work():
        pass
    for pane, delivered in model.delivered.items():
        assert delivered == sorted(set(delivered))
        if pane in model.newest:
            assert delivered[-1] == model.newest[pane]
        assert not model.queue.started


def test_a_pane_that_asks_faster_than_it_is_served_still_gets_answers():
    model = Model()
    for _ in range(40):
        model.post("grid", 64)
        model.work(piece=8)
    assert len(model.delivered["grid"]) >= 2


def test_the_smallest_goes_first_and_nobody_waits_for_ever(monkeypatch):
    monkeypatch.setattr(inference_queue, "PATIENCE_S", 0.02)
    model = Model()
    model.post("grid", 100)
    model.post("drag", 1)
    assert model.queue.take(0.0).pane == "drag"
    time.sleep(0.03)
    model.post("drag", 1)
    assert model.queue.take(0.0).pane == "grid"


def test_a_closed_queue_gives_nothing():
    queue = InferenceQueue()
    queue.post("a", decode(1))
    queue.close()
    assert queue.take(0.0) is None
    queue.nap(5.0)
    assert queue.closed


def test_taking_times_out():
    began = time.perf_counter()
    assert InferenceQueue().take(0.01) is None
    assert time.perf_counter() - began < 5


@given(st.integers(0, 50), st.integers(1, 20))
def test_pieces_joined_are_the_whole(count, piece):
    z = np.arange(count * 2, dtype=np.float32).reshape(count, 2)
    request = DecodeRequest(z, np.arange(count), generation=4)
    parts, done = [], 0
    while done < count or not parts:
        part = piece_of(request, done, piece)
        images = np.tile(part.z[:, :1, None, None].astype(np.uint8), (1, 4, 4, 1))
        np.testing.assert_array_equal(part.labels, part.z[:, 0] // 2)
        parts.append(InferenceResult(part, 9, 1.0, images=images, took_ms=2.0))
        done += piece
    whole = join(request, parts)
    assert whole.request is request
    np.testing.assert_array_equal(whole.images[:, 0, 0, 0], z[:, 0].astype(np.uint8))
    assert (whole.step, whole.took_ms, whole.mu) == (9, 2.0 * len(parts), None)


def test_one_failed_piece_fails_the_whole():
    request = decode(1, 20)
    good = InferenceResult(piece_of(request, 0, 10), 1, 1.0, images=np.zeros((10, 4, 4, 1), np.uint8))
    bad = InferenceResult(piece_of(request, 10, 10), 1, 1.0, error=ErrorReport("no memory"))
    whole = join(request, [good, bad])
    assert whole.error.what == "no memory"
    assert whole.images is None
    assert whole.request is request


def test_pictures_are_cut_as_points_are():
    request = EncodeRequest(np.arange(5 * 16, dtype=np.uint8).reshape(5, 4, 4, 1))
    assert size_of(request) == 5
    np.testing.assert_array_equal(piece_of(request, 3, 9).images, request.images[3:])
    assert piece_of(request, 0, 5) is request
