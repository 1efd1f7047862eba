import cv2
import numpy as np
import pytest

from latentlab.core.errors import InputError
from latentlab.core.recipe_data import DataConfig
from latentlab.data.arena.battle import PHASES, TEAM, TICKS, Battle
from latentlab.data.arena.render import BAR_SHARE, Painter, field_aspect
from latentlab.data.arena.stages import BASES, STAGE_NAMES, STAGES, masks_of
from latentlab.data.catalog import load_dataset

SIZE = (64, 64)


@pytest.fixture(scope="module")
def battle_frames():
    """Frames and moments of one battle per stage at 64x64, every 40th tick."""
    shown = []
    for stage in range(len(STAGES)):
        battle = Battle(stage, field_aspect(*SIZE), [3, stage])
        painter = Painter(battle, *SIZE)
        shown += [(battle, painter.paint(m), m.coverage, painter.place(m.players)) for m in battle.moments(10)]
    return shown


def ink_share(picture, hue, stage):
    """Measure a team's share of the floor from pixels alone: those whose hue is the team's and that are vivid."""
    top = round(picture.shape[0] * BAR_SHARE)
    field = cv2.cvtColor(picture[top:], cv2.COLOR_RGB2HSV).astype(float)
    away = np.abs((field[..., 0] / 180 - hue + 0.5) % 1 - 0.5)
    floor = masks_of(STAGES[stage], *field.shape[:2]).floor.sum() / 255
    return ((away < 0.07) & (field[..., 1] > 0.45 * 255)).sum() / floor


def test_coverage_is_what_the_pixels_show(battle_frames):
    errors = [
        ink_share(picture, battle.hues[team], battle.stage_number) - coverage[team]
        for battle, picture, coverage, _ in battle_frames
        for team in (0, 1)
    ]
    assert np.abs(np.mean(errors)) < 0.02
    assert np.mean(np.abs(errors)) < 0.03
    assert np.max(np.abs(errors)) < 0.1


def test_the_score_bar_shows_the_coverage(battle_frames):
    for battle, picture, coverage, _ in battle_frames:
        row = cv2.cvtColor(picture[2:5].mean(axis=0, keepdims=True).astype(np.uint8), cv2.COLOR_RGB2HSV)[0].astype(
            float
        )
        for team in (0, 1):
            away = np.abs((row[:, 0] / 180 - battle.hues[team] + 0.5) % 1 - 0.5)
            measured = ((away < 0.07) & (row[:, 1] > 90)).sum() / 62
            assert abs(measured - coverage[team]) < 0.06


def test_players_are_where_the_factors_say(battle_frames):
    """A figure has a dark outline and a light cap: the place of a player is brighter than the ring round it."""
    contrast = []
    for _, picture, _, players in battle_frames:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        for x, y in players * (SIZE[1], SIZE[0]):
            centre = cv2.getRectSubPix(grey, (3, 3), (x - 0.5, y - 0.5)).max()
            around = cv2.getRectSubPix(grey, (7, 7), (x - 0.5, y - 0.5)).min()
            contrast.append(centre - around)
    assert np.mean(np.array(contrast) > 40) > 0.95


def test_players_move_by_less_than_a_pixel():
    """Consecutive video frames differ little at a moving player, which whole-pixel steps would not manage."""
    battle = Battle(0, field_aspect(64, 64), 5)
    places = np.array([m.players for m in battle.moments()]) * 64
    step = np.hypot(*np.diff(places, axis=0).transpose(2, 0, 1))
    walking = step[(step > 0) & (step < 3)]
    assert 0.2 < np.median(walking) < 1.0
    assert len(np.unique(np.round(places % 1, 3))) > 500


def test_players_stay_on_the_floor():
    for stage in range(len(STAGES)):
        battle = Battle(stage, 1.9, [9, stage])
        for moment in battle.moments(100):
            x, y = (moment.players * (battle.columns, 160)).astype(int).T
            assert battle.floor[y, x].all()


def test_a_stage_is_fair():
    """Every stage turned by half a turn is itself, but for the fronts of walls, which always face down."""
    for stage in STAGES:
        top = masks_of(stage, 100, 150, wall_height=0.0).top
        assert np.mean(np.abs(top.astype(int) - top[::-1, ::-1])) < 255 * 0.02
    assert np.allclose(BASES + BASES[::-1], 1.0)


@pytest.mark.parametrize("stage", range(len(STAGES)))
def test_a_battle_fills_the_floor(stage):
    coverage = np.array([m.coverage for m in Battle(stage, 1.1, [1, stage]).moments(40)])
    assert coverage[0].sum() < 0.1
    assert coverage[-1].sum() > 0.7
    assert (coverage.sum(axis=1) <= 1).all()
    assert coverage[-1].min() > 0.1, "neither team is wiped out"


def test_the_seed_decides_everything():
    def play(seed):
        battle = Battle(1, 1.0, seed)
        painter = Painter(battle, 32, 32)
        return np.array([painter.paint(m) for m in battle.moments(12)])

    assert (play(4) == play(4)).all()
    assert (play(4) != play(5)).any()


def test_a_shorter_battle_is_the_same_battle():
    long = [m.coverage for m in Battle(2, 1.0, 8).moments(TICKS)]
    short = [(m.tick, m.coverage) for m in Battle(2, 1.0, 8).moments(10)]
    assert [c for _, c in short] == [long[tick] for tick, _ in short]


def test_the_size_of_the_picture_does_not_change_the_battle():
    factors = [load_dataset(DataConfig(spec="arena", size=(s, s), limit=24)).factors for s in (16, 48)]
    assert (factors[0]["coverage_a"] == factors[1]["coverage_a"]).all()
    assert np.allclose(factors[0]["players"], factors[1]["players"], atol=0.02)


@pytest.mark.parametrize("size", [(16, 16), (36, 64), (64, 64), (65, 121), (128, 224)])
def test_any_size(size):
    data = load_dataset(DataConfig(spec="arena", size=size, limit=12))
    assert data.images.shape == (12, *size, 3)
    assert data.images.std() > 20


def test_as_a_data_set():
    data = load_dataset(DataConfig(spec="arena", size=(16, 16), limit=360, test_fraction=0.17))
    assert data.class_names == STAGE_NAMES
    assert data.num_classes == 6
    assert (data.labels == data.factors["stage"]).all()
    battle = data.factors["battle"]
    assert not set(battle[data.train_index]) & set(battle[data.test_index]), "a battle on both sides"
    assert sorted(set(data.labels[data.test_index])) == list(range(6)), "every stage is tested"
    assert set(data.factors["phase"]) == set(range(len(PHASES)))
    assert data.factors["players"].shape == (360, 2 * TEAM, 2)
    hues = np.stack([data.factors["hue_a"], data.factors["hue_b"]])
    assert ((hues >= 0) & (hues < 1)).all()
    assert len(np.unique(hues)) > 40, "every battle has its own hues"
    assert (np.abs((hues[0] - hues[1] + 0.5) % 1 - 0.5) > 0.3).all(), "colours that are told apart"


def test_another_seed_is_another_arena():
    first, other = (load_dataset(DataConfig(spec=spec, size=(16, 16), limit=12)) for spec in ("arena", "arena:7"))
    assert (first.images != other.images).any()


def test_a_seed_that_is_no_number():
    with pytest.raises(InputError, match="arena:big is not a data set"):
        load_dataset(DataConfig(spec="arena:big"))
