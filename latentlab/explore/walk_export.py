"""From a walk through latent space to a film, frame by frame: as constant as a clock, however slow the machine."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace

from latentlab.core.errors import InputError
from latentlab.core.latent_walk import WalkPlan
from latentlab.core.messages import DecodeRequest, WeightSnapshot
from latentlab.core.video_export import ExportProgress, ExportSink, ExportSummary
from latentlab.explore.arrays import answer
from latentlab.explore.export import KEYWORD, Origin
from latentlab.explore.session import ExploreSession
from latentlab.explore.video_export_gif import GifWriter
from latentlab.explore.video_export_pictures import PicturesWriter, check_free
from latentlab.explore.video_export_timing import Timing, plan_pictures
from latentlab.explore.video_write import VideoWriter
from latentlab.models.device import DevicePolicy

BATCH = 32


def export_walk(
    plan: WalkPlan,
    snapshot: WeightSnapshot,
    *,
    policy: DevicePolicy | None = None,
    progress: ExportSink | None = None,
) -> ExportSummary:
    """Write the film of a walk, decoded with ``snapshot``; nothing appears under its name before it is whole.

    Raises
    ------
    InputError
        If the keyframes do not fit the model, or the file cannot be written.
    Cancelled
        Passed through from ``progress``.
    """
    began = time.monotonic()
    _check(plan, snapshot)
    session = ExploreSession(policy)
    session.load(snapshot)
    info, walk = snapshot.info, plan.walk
    z, labels, shares = walk.points(info.num_classes if info.conditional else 0)
    timing = plan_pictures(walk.frames, rate=walk.rate)
    written = 0
    with _writer(plan, timing, snapshot) as writer:
        for start in range(0, walk.frames, BATCH):
            part = slice(start, start + BATCH)
            request = DecodeRequest(z[part])
            if labels is not None and shares is not None:
                request = replace(request, labels=labels[part], shares=shares[part])
            images = answer(session, request).images
            assert images is not None
            for image in images:
                writer.write(image.repeat(plan.scale, axis=0).repeat(plan.scale, axis=1))
                written += 1
            if progress is not None:
                took = time.monotonic() - began
                progress(ExportProgress(written, walk.frames, written / max(took, 1e-9), writer.bytes_written))
    took = time.monotonic() - began
    return ExportSummary(plan.output, [], written, writer.size, float(timing.rate), step=snapshot.step, took_s=took)


def _writer(plan: WalkPlan, timing: Timing, snapshot: WeightSnapshot) -> VideoWriter | GifWriter | PicturesWriter:
    origin = Origin.of(snapshot.info, snapshot.step)
    if plan.kind == "pictures":
        return PicturesWriter(plan.output, timing, origin)
    comment = json.dumps({KEYWORD: json.loads(origin.text()) | {"walk": _facts(plan)}})
    if plan.kind == "gif":
        return GifWriter(plan.output, timing, comment)
    return VideoWriter(plan.output, timing, quality=plan.quality, comment=comment)


def _facts(plan: WalkPlan) -> dict[str, object]:
    walk = plan.walk
    return {
        "keyframes": [{"z": k.z.astype(float).tolist(), "label": k.label} for k in walk.keyframes],
        "seconds": walk.seconds,
        "easing": walk.easing,
        "path": walk.path,
        "loop": walk.loop,
        "rate": walk.rate,
    }


def _check(plan: WalkPlan, snapshot: WeightSnapshot) -> None:
    """Refuse what cannot be written before anything is decoded."""
    output, info = plan.output, snapshot.info
    if not output.parent.is_dir():
        raise InputError(f"There is no folder {output.parent}", where=str(output), hint="Make it first.")
    if not os.access(output.parent, os.W_OK):
        raise InputError(
            f"The folder {output.parent} may not be written to", where=str(output), hint="Choose another folder."
        )
    if plan.kind == "pictures":
        check_free(output)
    elif output.is_dir():
        raise InputError(f"{output.name} is a folder", where=str(output), hint="Choose another name.")
    wrong = [k for k in plan.walk.keyframes if k.z.shape != (info.latent_dim,)]
    if wrong:
        raise InputError(
            f"The keyframes have {wrong[0].z.size} dimensions, the model {info.latent_dim}", where="keyframes"
        )
