"""Two hundred random moves, of every kind there is, and the way back through all of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.core.latent_axes import dimension_axes, direction_axes
from latentlab.core.latent_grids import plane_point
from latentlab.core.latent_state import LatentState

DIM = 6
WAYS = np.random.default_rng(0).normal(size=(4, DIM)).astype(np.float32)
AXES = (dimension_axes(DIM), direction_axes("saved", DIM, [(f"d{i}", way, "") for i, way in enumerate(WAYS)]))
axis_sets = st.integers(0, 1)
axes_index = st.integers(0, 3)
values = st.floats(-8, 8, width=32)
vectors = st.lists(values, min_size=DIM, max_size=DIM)
acts = st.one_of(
    st.tuples(st.just("slider"), axis_sets, axes_index, values),
    st.tuples(st.just("plane"), axis_sets, axes_index, values),
    st.tuples(st.just("drag"), vectors),
    st.tuples(st.just("release")),
    st.tuples(st.just("cell"), vectors, st.integers(-1, 5)),
    st.tuples(st.just("seed"), st.integers(0, 99), st.floats(0, 2)),
    st.tuples(st.just("reset")),
    st.tuples(st.just("class"), st.integers(0, 5)),
    st.tuples(st.just("lock"), st.integers(0, DIM - 1), st.booleans()),
    st.tuples(st.just("visit"), st.integers(0, 199)),
)


def carry_out(state: LatentState, act: tuple, visited: list) -> None:
    """Do what the page does for an act, through the same calls."""
    kind, *rest = act
    point = state.point
    if kind == "slider":
        axes = AXES[rest[0]]
        state.move_to(axes.moved(point.z, rest[1], rest[2], point.locks), f"{axes.kind} {rest[1]}")
    elif kind == "plane":
        axes = AXES[rest[0]]
        state.move_to(plane_point(point.z, axes, (rest[1], (rest[1] + 1) % 4), rest[2], -rest[2]), "plane")
    elif kind == "drag":
        state.shift(np.array(rest[0], np.float32), point, "drag")
    elif kind == "release":
        state.end_gesture()
    elif kind == "cell":
        state.set_z(rest[0], "a cell", label=None if rest[1] < 0 else rest[1])
    elif kind == "seed":
        state.randomise(rest[0], rest[1])
    elif kind == "reset":
        state.reset()
    elif kind == "class":
        state.set_label(rest[0])
    elif kind == "lock":
        state.set_lock(rest[0], rest[1])
    else:
        state.go_to(visited[rest[0] % len(visited)])


@settings(max_examples=40, deadline=None)
@given(st.lists(acts, min_size=200, max_size=200))
def test_200_random_moves_are_undone_and_redone_bit_for_bit(moves):
    state = LatentState(DIM, seed=0)
    steps = [state.point]  # The point after each step of the history; moves of one gesture are one step.
    seen = [state.point]
    for act in moves:
        depth = len(state._past)
        carry_out(state, act, seen)
        seen.append(state.point)
        if len(state._past) > depth:
            steps.append(state.point)
        else:
            steps[-1] = state.point
    bits = [(p.z.tobytes(), p.locks.tobytes(), p.label, p.seed, p.source, p.edited) for p in steps]
    for expected in reversed(steps[:-1]):
        assert state.undo()
        assert state.point.same(expected)
    assert not state.undo()
    for expected in steps[1:]:
        assert state.redo()
        assert state.point.same(expected)
    assert not state.redo()
    assert bits == [(p.z.tobytes(), p.locks.tobytes(), p.label, p.seed, p.source, p.edited) for p in steps]


def test_a_move_begins_where_nothing_had_been_moved_yet():
    state = LatentState(DIM, seed=3)
    drawn = state.point
    state.move_to(AXES[0].moved(state.point.z, 1, 2.0), "z1")
    state.end_gesture()
    state.move_to(AXES[0].moved(state.point.z, 2, -1.0), "z2")
    assert state.origin_of_move is drawn
    way = state.point.z - state.origin_of_move.z
    assert np.flatnonzero(way).tolist() == [1, 2]
    state.undo()
    state.undo()
    assert state.origin_of_move is drawn
