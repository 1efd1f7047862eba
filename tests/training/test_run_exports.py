"""Exports of a run, read back by those who are to read them."""

from __future__ import annotations

import csv
import json
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from training_fakes import Memory, make_data, make_recipe

from latentlab import cli
from latentlab.core.errors import InputError
from latentlab.models.registry import build_model
from latentlab.models.weights import read_snapshot
from latentlab.training.export_csv import export_csv
from latentlab.training.fit import fit
from latentlab.training.metrics_db import ELAPSED, read_metrics
from latentlab.training.report import end_value
from latentlab.training.run import RunWriter
from latentlab.training.vectors_db import read_vectors

KINDS = {
    "ae": {},
    "vae": {"model__network": "mlp"},
    "cvae": {"model__principal_dims": 2},
    "vaegan": {},
    "cgan": {},
    "ssvae": {"data__labelled_per_class": 4},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a run of a kind, trained once."""
    root, made = tmp_path_factory.mktemp("runs"), {}

    def run_of(kind: str) -> Path:
        if kind not in made:
            data = make_data()
            recipe = make_recipe(model__kind=kind, training__steps=8, **KINDS[kind])
            writer = RunWriter.create_at(root / kind, recipe, data)
            fit(recipe, data, Memory(), run=writer, device="cpu")
            made[kind] = writer.path
        return made[kind]

    return run_of


def test_csv_reads_back_exactly(runs, tmp_path):
    path = tmp_path / "metrics.csv"
    rows = export_csv(runs("vaegan"), path)
    series = read_metrics(runs("vaegan") / "metrics.db")
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == rows == len(series[ELAPSED][0])
    for name, (steps, values) in series.items():
        found = {int(row["step"]): float(row[name]) for row in table if row[name]}
        assert found == dict(zip(steps.astype(int).tolist(), values.tolist(), strict=True)), name


def test_tensorboards_own_reader_returns_the_same_numbers(runs, tmp_path):
    pytest.importorskip("tensorboard")
    assert cli.main(["export", str(runs("vaegan")), "--format", "tensorboard", "-o", str(tmp_path / "tb")]) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        reader = EventAccumulator(
            str(tmp_path / "tb"), size_guidance=dict.fromkeys(("scalars", "images", "histograms"), 0)
        )
        reader.Reload()
    series = read_metrics(runs("vaegan") / "metrics.db")
    series.pop(ELAPSED)
    tags = reader.Tags()
    assert set(series) <= set(tags["scalars"])
    for name, (steps, values) in series.items():
        events = reader.Scalars(name)
        assert [event.step for event in events] == steps.astype(int).tolist()
        assert np.array_equal(np.float32([event.value for event in events]), values.astype(np.float32)), name
        assert all(b.wall_time >= a.wall_time for a, b in pairwise(events))
    assert {"reconstructions", "samples"} <= set(tags["images"])
    assert {"kld_dim", "d_real_hist"} <= set(tags["histograms"])
    measured = read_vectors(runs("vaegan") / "metrics.db")["kld_dim"]
    histograms = reader.Histograms("kld_dim")
    assert [event.step for event in histograms] == measured[0]
    assert histograms[-1].histogram_value.sum == pytest.approx(float(measured[1][-1].sum()), rel=1e-5)
    assert "_hparams_/session_start_info" in reader.summary_metadata


def test_tensorboard_is_not_written_over(runs, tmp_path, capsys):
    pytest.importorskip("tensorboard")
    (tmp_path / "events.out.tfevents.1").write_text("")
    assert cli.main(["export", str(runs("vae")), "--format", "tensorboard", "-o", str(tmp_path)]) == 2
    assert "already holds event files" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_gives_what_the_model_gives(runs, tmp_path, kind):
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    from latentlab.explore.export_onnx import export_onnx

    files = export_onnx(runs(kind), tmp_path / "onnx")
    snapshot = read_snapshot(runs(kind))
    model = build_model(snapshot.info, 0).eval()
    model.load_state_dict(dict(snapshot.state), strict=False)
    labels = torch.arange(5) % 3
    with torch.no_grad():
        if kind != "cgan":
            x = torch.rand(5, 1, 16, 16)
            inputs = {"images": x} | ({"labels": labels} if snapshot.info.needs_labels else {})
            posterior = model.encode(x, labels if snapshot.info.needs_labels else None)
            wanted = [part for part in posterior if part is not None]
            compare(onnxruntime, files[0], inputs, wanted)
        z = torch.randn(5, 4)
        inputs = {"z": z} | ({"labels": labels} if snapshot.info.conditional else {})
        compare(onnxruntime, files[-1], inputs, [model.decode(z, labels if snapshot.info.conditional else None)])
    facts = json.loads((tmp_path / "onnx" / "model.json").read_text())
    assert (facts["kind"], facts["step"], facts["image_shape"]) == (kind, 8, [16, 16, 1])


def compare(onnxruntime, path: Path, inputs: dict[str, torch.Tensor], wanted: list[torch.Tensor]) -> None:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert {one.name for one in session.get_inputs()} == set(inputs)
    found = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b.numpy(), atol=2e-5)


def test_a_missing_package_is_a_sentence(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    for wanted, package in (("tensorboard", "latentlab[tensorboard]"), ("onnx", "latentlab[onnx]")):
        assert cli.main(["export", str(runs("vae")), "--format", wanted, "-o", str(tmp_path / wanted)]) == 2
        assert package in capsys.readouterr().err


def test_a_report_of_two_runs_is_one_file(runs, tmp_path, capsys):
    out = tmp_path / "report.html"
    folders = [str(runs("vae")), str(runs("vaegan"))]
    assert cli.main(["export", *folders, "--format", "html", "-o", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 2
    text = out.read_text(encoding="utf-8")
    assert text.count("<svg") >= 4
    assert "model.kind" in text
    assert 'fill-opacity="0.12"' in text, "bands of z_mean and z_std"


def test_end_values_are_means_of_what_is_noisy_and_the_last_of_what_was_set():
    steps = np.arange(100.0)
    falling = np.linspace(10.0, 1.0, 100)
    series = dict.fromkeys(("beta", "lr", "pixel", "test_pixel"), (steps, falling))
    assert [end_value(series, name) for name in series] == pytest.approx(
        [1.0, 1.0, falling[-30:].mean(), falling[-3:].mean()]
    )
    assert end_value(series, "psnr") is None


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["no/such/run", "--format", "csv", "-o", "x.csv"], "no/such/run"),
        (["a", "b", "--format", "csv", "-o", "x.csv"], "takes one run"),
        (["a", "--format", "csv", "-o", "no/such/folder/x.csv"], "no/such/folder"),
        (["a", "--format", "html", "-o", "."], "is a folder"),
    ],
)
def test_bad_arguments_are_refused(capsys, monkeypatch, tmp_path, arguments, what):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", *arguments, "--json"]) == 2
    assert what in " ".join(json.loads(capsys.readouterr().out)["error"].values())


def test_a_run_without_metrics_is_refused(tmp_path, new_run, data):
    with pytest.raises(InputError, match="no metrics"):
        export_csv(new_run(make_recipe(), data).path, tmp_path / "x.csv")
