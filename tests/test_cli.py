"""The command line as scripts see it: exit codes, what goes to which stream, and errors that name the thing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from latentlab import cli
from latentlab.commands import COMMANDS
from latentlab.core import paths
from latentlab.core.errors import InputError
from latentlab.core.metrics import METRICS
from latentlab.core.recipe_io import bundled_recipes

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def test_recipes_as_json(capsys):
    assert cli.main(["recipes", "--json"]) == 0
    out, err = capsys.readouterr()
    assert {recipe["name"] for recipe in json.loads(out)["recipes"]} == set(bundled_recipes())
    assert err == ""


def test_a_recipe_is_printed_as_it_can_be_read(capsys, tmp_path):
    assert cli.main(["recipes", "quickstart"]) == 0
    file = tmp_path / "mine.toml"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert cli.main(["recipes", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"]["kind"] == "vaegan"


def test_every_key_is_explained(capsys):
    assert cli.main(["recipes", "--keys", "--json"]) == 0
    keys = {fact["key"]: fact for fact in json.loads(capsys.readouterr().out)["keys"]}
    assert keys["objective.target_kld"]["unit"] == "nats/dim"
    assert keys["model.kind"]["allowed"] == "ae | vae | cvae | ssvae | vaegan | cgan"


@pytest.mark.parametrize(
    ("arguments", "what", "hint"),
    [
        (["recipes", "quickstrat"], "quickstrat", "quickstart"),
        (["train", "nothing-like-it", "--json"], "nothing-like-it", ""),
        (["train", "quickstart", "--set", "model.kindd=vae", "--json"], "model.kindd", "model.kind"),
        (["evaluate", "no/such/run", "--json"], "no/such/run", ""),
        (["sample", "no/such/run", "-o", "x.png", "--json"], "no/such/run", ""),
        (["no-such-file.mp4"], "no-such-file.mp4", ""),
        (["--demo", "--screenshot", "no/such/folder/x.png"], "no/such/folder", ""),
    ],
)
def test_bad_input_is_one_clear_error(capsys, monkeypatch, tmp_path, arguments, what, hint):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert what in err
    assert hint in err
    assert "Traceback" not in err
    if "--json" in arguments:
        error = json.loads(out)["error"]
        assert set(error) == {"what", "where", "hint"}
    else:
        assert out == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(capsys, command):
    with pytest.raises(SystemExit) as done:
        cli.main([command, "--help"])
    assert done.value.code == 0
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["train", "quickstart", "--steps", "many"], ["sample", "run"], ["evaluate", "run", "--split", "all"], ["a", "b"]],
)
def test_bad_usage_exits_with_2_and_is_json_where_json_was_asked_for(capsys, arguments):
    assert cli.main([*arguments, "--json"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["what"]
    assert "usage:" in err


@pytest.mark.parametrize(
    ("raised", "code", "what"),
    [
        (KeyboardInterrupt(), 130, "Interrupted"),
        (PermissionError(13, "Permission denied", "/some/file"), 1, "Permission denied"),
        (KeyError("lost"), 1, "KeyError"),
        (MemoryError(), 2, "memory"),
    ],
)
def test_whatever_happens_is_a_sentence_and_a_code(monkeypatch, capsys, raised, code, what):
    def broken(_args: object) -> int:
        raise raised

    monkeypatch.setattr("latentlab.commands.recipes.run", broken)
    assert cli.main(["recipes", "--json"]) == code
    out, err = capsys.readouterr()
    assert what in json.loads(out)["error"]["what"]
    assert "Traceback" not in err


def test_the_traceback_is_there_for_those_who_ask(monkeypatch, capsys):
    def broken(_args: object) -> int:
        raise KeyError("lost")

    monkeypatch.setattr("latentlab.commands.recipes.run", broken)
    monkeypatch.setenv("LATENTLAB_DEBUG", "1")
    assert cli.main(["recipes"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["CACHE", "CONFIG", "RUNS", "SCREENSHOTS"])
def test_a_file_where_a_folder_should_be_is_named(monkeypatch, tmp_path, folder):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(f"LATENTLAB_{folder}", str(tmp_path / "file"))
    with pytest.raises(InputError, match="file cannot be used as a folder") as caught:
        getattr(paths, f"{folder.lower()}_dir")()
    assert caught.value.where == f"LATENTLAB_{folder}"


def test_doctor_finds_this_installation_fit(qapp, capsys):
    code = cli.main(["doctor", "--json"])
    report = json.loads(capsys.readouterr().out)
    names = {check["name"] for check in report["checks"]}
    assert {"Python", "torch", "device", "Qt", "OpenCV", "video", "folders", "disk", "resources"} <= names
    failed = [check for check in report["checks"] if not check["ok"] and check["name"] != "disk"]
    assert failed == []
    assert report["ok"] == (code == 0)


def test_doctor_survives_a_check_that_breaks(monkeypatch, capsys):
    from latentlab.commands import doctor

    def broken() -> doctor.Check:
        """Breaks."""
        raise RuntimeError("no such device")

    monkeypatch.setattr(doctor, "CHECKS", (broken,))
    assert cli.main(["doctor"]) == 1
    assert "no such device" in capsys.readouterr().out


def test_the_readme_knows_every_command_and_recipe():
    assert [name for name in COMMANDS if f"latentlab {name}" not in README] == []
    assert [name for name in bundled_recipes() if f"`{name}`" not in README] == []


def test_the_page_of_metrics_has_every_definition():
    page = (Path(__file__).resolve().parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [name for name in METRICS if f"| `{name}` |" not in page] == []
