from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from window_fakes import make_run

from latentlab.core.errors import InputError
from latentlab.ui.opening import identify
from latentlab.ui.screenshots import PictureFacts, save_picture


def _png(path: Path, facts: PictureFacts | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return save_picture(QImage(4, 4, QImage.Format.Format_RGB32), path, facts or PictureFacts())


def test_a_run_folder_and_what_is_in_it_are_the_run(tmp_path):
    run = make_run(tmp_path / "run")
    inner = run / "checkpoints" / "last"
    inner.mkdir(parents=True)
    assert identify(run).kind == "run"
    assert identify(inner).path == run


def test_a_recipe_even_that_of_a_run_is_a_recipe(tmp_path):
    run = make_run(tmp_path / "run")
    assert identify(run / "recipe.toml").kind == "recipe"


@pytest.mark.parametrize(("name", "scheme"), [("a.mp4", "video"), ("B.MKV", "video"), ("x.npz", "npz")])
def test_data_files_become_data_specs(tmp_path, name, scheme):
    path = tmp_path / name
    path.touch()
    target = identify(path)
    assert (target.kind, target.spec) == ("data", f"{scheme}:{path}")


def test_folders_of_pictures_or_videos_become_data_specs(tmp_path):
    _png(tmp_path / "flat" / "a.png")
    _png(tmp_path / "classes" / "cat" / "a.png")
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.mp4").touch()
    assert identify(tmp_path / "flat").spec == f"folder:{tmp_path / 'flat'}"
    assert identify(tmp_path / "classes").spec == f"folder:{tmp_path / 'classes'}"
    assert identify(tmp_path / "films").spec == f"video:{tmp_path / 'films'}/*.mp4"


def test_our_own_picture_leads_to_its_run(tmp_path):
    run = make_run(tmp_path / "run")
    target = identify(_png(tmp_path / "p.png", PictureFacts(run, 12_400)))
    assert (target.kind, target.path) == ("run", run)
    assert "12,400" in target.note


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda d: d / "missing", "There is no file"),
        (lambda d: d, "holds no images"),
        (lambda d: (d / "a.txt", (d / "a.txt").touch())[0], "nothing that latentlab can open"),
        (lambda d: (d / "a.png", (d / "a.png").touch())[0], "not a picture"),
        (lambda d: _png(d / "b.png"), "does not say which run"),
        (lambda d: _png(d / "c.png", PictureFacts(d / "gone", 3)), "is gone"),
        (lambda d: make_run(d / "run").parent, "holds runs"),
    ],
)
def test_what_cannot_be_opened_is_told_in_a_sentence(qtbot, tmp_path, make, what):
    with pytest.raises(InputError, match=what) as caught:
        identify(make(tmp_path))
    assert caught.value.hint or what == "not a picture"
