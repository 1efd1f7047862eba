"""Encoder and decoder of a checkpoint as ONNX files, for runtimes that know nothing of torch.

Shape suffixes: B batch, C channels, H height, W width, D latent dimensions.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.messages import ModelInfo
from latentlab.core.run_folder import LAST
from latentlab.models.base import LatentModel
from latentlab.models.registry import build_model
from latentlab.models.weights import read_snapshot

FACTS = "model.json"


class _Encoder(nn.Module):
    def __init__(self, model: LatentModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        posterior = self.model.encode(images, labels)
        return (posterior.mu_BD,) if posterior.logvar_BD is None else (posterior.mu_BD, posterior.logvar_BD)


class _Decoder(nn.Module):
    def __init__(self, model: LatentModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.model.decode(z, labels)


def export_onnx(run: Path, folder: Path, checkpoint: str = LAST) -> list[Path]:
    """Write ``decoder.onnx`` and, where the model has one, ``encoder.onnx`` with ``model.json`` beside them.

    The encoder takes ``images`` (B,C,H,W) float32 in [0,1] and gives ``mu`` and, where it is probabilistic,
    ``logvar`` (B,D); the decoder takes ``z`` (B,D) and gives ``images``. Models of classes take ``labels`` (B,)
    int64 too. The batch may be of any size.

    Raises
    ------
    InputError
        If onnxscript is not installed, or the run has no such checkpoint.
    LatentLabError
        If a network cannot be expressed in ONNX, or a file cannot be written.
    """
    if importlib.util.find_spec("onnxscript") is None:
        raise InputError(
            "ONNX files need the package onnxscript",
            where="--format onnx",
            hint='Install it: pip install "latentlab[onnx]".',
        )
    snapshot = read_snapshot(run, checkpoint)
    model = build_model(snapshot.info, 0).eval()
    model.load_state_dict(dict(snapshot.state), strict=False)
    info = snapshot.info
    height, width, channels = info.image_shape
    images_BCHW, z_BD = torch.rand(2, channels, height, width), torch.randn(2, info.latent_dim)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if info.has_encoder:
            outputs = ["mu"] if info.kind == "ae" else ["mu", "logvar"]
            needs_labels = info.needs_labels
            written.append(
                _write(_Encoder(model), folder / "encoder.onnx", "images", images_BCHW, needs_labels, outputs)
            )
        written.append(_write(_Decoder(model), folder / "decoder.onnx", "z", z_BD, info.conditional, ["images"]))
        facts = _facts(info, snapshot.step, checkpoint)
        (folder / FACTS).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise LatentLabError(f"The export cannot be written: {error.strerror}", where=str(folder)) from None
    return written


def _write(network: nn.Module, path: Path, name: str, example: Tensor, labelled: bool, outputs: list[str]) -> Path:
    inputs: tuple[Tensor, ...] = (example, torch.zeros(len(example), dtype=torch.int64)) if labelled else (example,)
    batch = torch.export.Dim.DYNAMIC
    shapes = tuple({0: batch} for _ in inputs)
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network.eval(),
                inputs,
                str(path),
                input_names=[name, "labels"][: len(inputs)],
                output_names=outputs,
                dynamic_shapes=shapes,
                external_data=False,
                verbose=False,
            )
    except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        first = (str(error).strip().splitlines() or [""])[0]
        raise LatentLabError(
            f"The network of {path.name} cannot be expressed in ONNX: {first}", where=str(path)
        ) from None
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
    return path


def _facts(info: ModelInfo, step: int, checkpoint: str) -> dict[str, object]:
    return {
        "kind": info.kind,
        "step": step,
        "checkpoint": checkpoint,
        "image_shape": list(info.image_shape),
        "range": [0.0, 1.0],
        "latent_dim": info.latent_dim,
        "classes": list(info.class_names),
    }
