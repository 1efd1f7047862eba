"""The command line as scripts see it: exit codes, what goes to which stream, and errors that name the thing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from latentlab import cli
from latentlab.commands import COMMANDS
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
    assert keys["model.kind"]["allowed"] == "ae | vae | cvae | vaegan"


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


def test_bad_usage_exits_with_2(capsys):
    with pytest.raises(SystemExit) as done:
        cli.main(["train", "quickstart", "--steps", "many"])
    assert done.value.code == 2
    capsys.readouterr()


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
