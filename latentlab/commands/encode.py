"""``latentlab encode``: the latents of a data set, for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.commands import note, print_json
from latentlab.commands.picture_output import check_folder
from latentlab.commands.progress_line import ProgressLine
from latentlab.core.errors import EXIT_OK, InputError
from latentlab.core.messages import Progress

if TYPE_CHECKING:
    from latentlab.core.messages import Ints, ModelInfo
    from latentlab.data.dataset import Dataset

DESCRIPTION = """Encode the images of a data set with the weights of a run, in float32. The .npz holds, a row for each
image: mu and logvar (N, D) float32, mean and log variance of q(z|x) (no logvar for a plain auto-encoder); label (N,),
-1 where unknown; row (N,), its number in the data set; test (N,), whether it belongs to the test split. A model that is
told the class (cvae) encodes the images of known class only; an ssvae takes the class it finds most probable."""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "encode", help="latents of a data set as arrays", description=DESCRIPTION
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder")
    parser.add_argument("--data", metavar="SPEC", help="data set to encode instead of the run's")
    parser.add_argument(
        "--split", choices=("all", "train", "test"), default="all", help="images to encode (default all)"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="F.npz", help="file to write")
    parser.add_argument(
        "--checkpoint", default="last", metavar="NAME", help="last (default), best or e.g. step_00000500"
    )
    parser.add_argument("--device", default="auto", metavar="DEVICE", help="auto (default), cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Encode, write and say what was written."""
    if args.output.suffix.lower() != ".npz":
        raise InputError(f"{args.output.name} does not end in .npz", where="-o", hint="For example: -o latents.npz")
    check_folder(args.output)
    from latentlab.data.catalog import load_dataset
    from latentlab.explore.session import ExploreSession
    from latentlab.models.device import choose_device, limit_threads
    from latentlab.models.weights import read_snapshot

    snapshot = read_snapshot(args.run, args.checkpoint)
    recipe = snapshot.info.recipe
    config = recipe.data
    if args.data is not None:
        config = config.model_copy(update={"spec": args.data, "crop": None})
    line = ProgressLine()
    try:
        data = load_dataset(config, seed=recipe.training.seed, progress=line)
        rows = _rows(snapshot.info, data, args.split)
        limit_threads()
        session = ExploreSession(choose_device(args.device, "fp32"))
        session.load(snapshot)
        arrays = _arrays(session, data, rows, line)
    finally:
        line.end()
    from latentlab.explore.arrays import write_npz

    write_npz(args.output, arrays)
    facts = {
        "run": str(args.run),
        "step": snapshot.step,
        "images": len(rows),
        "latent_dim": snapshot.info.latent_dim,
        "split": args.split,
        "arrays": sorted(arrays),
        "output": str(args.output),
    }
    if args.json:
        print_json(facts)
    else:
        note(f"{len(rows):,} images as {snapshot.info.latent_dim} numbers each in {args.output}")
    return EXIT_OK


def _rows(info: ModelInfo, data: Dataset, split: str) -> Ints:
    """Return the rows to encode: those of the split that the encoder can use."""
    import numpy as np

    parts = {"train": data.train_index, "test": data.test_index, "all": np.arange(len(data.images))}
    rows: Ints = parts[split]
    if info.needs_labels:
        rows = rows[data.labels[rows] >= 0] if data.labels is not None else rows[:0]
    if not len(rows):
        raise InputError(f"{data.name} has no images that this model can encode", where="--data")
    return rows


def _arrays(session: Any, data: Dataset, rows: Ints, line: ProgressLine) -> dict[str, Any]:
    """Return what is written."""
    import numpy as np

    from latentlab.explore.arrays import BATCH, encode

    known = data.labels[rows] if data.labels is not None else np.full(len(rows), -1, np.int64)
    told = known if session.info.needs_labels else None
    mu, logvar = [], []
    for start in range(0, len(rows), BATCH):  # by hand, so that only a batch of a memory map is read
        line(Progress("Encoding", start, len(rows)))
        part = slice(start, start + BATCH)
        codes = encode(session, np.asarray(data.images[rows[part]]), None if told is None else told[part])
        mu.append(codes.mu)
        if codes.logvar is not None:
            logvar.append(codes.logvar)
    arrays: dict[str, Any] = {"mu": np.concatenate(mu)}
    if logvar:
        arrays["logvar"] = np.concatenate(logvar)
    return {**arrays, "label": known, "row": rows, "test": np.isin(rows, data.test_index)}
