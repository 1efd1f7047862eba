"""An eval replica of a model and the answers it gives.

Shape suffixes: B batch, C channels, H height, W width, D latent dimensions.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.messages import (
    DecodeRequest,
    EncodeRequest,
    ErrorReport,
    Floats,
    InferenceRequest,
    InferenceResult,
    Ints,
    ModelInfo,
    ReconstructRequest,
    WeightSnapshot,
)
from latentlab.explore.pixels import at_model_size, to_tensor, to_uint8
from latentlab.models.base import LatentModel
from latentlab.models.device import DevicePolicy, choose_device
from latentlab.models.registry import build_model
from latentlab.models.semisupervised import SemiSupervisedVae


class ExploreSession:
    """Decodes, encodes and reconstructs with the weights loaded last.

    The replica is its own: loading copies, so nothing here can disturb a training. It always
    computes in float32, so that a picture can be made again bit by bit.

    Thread: one, whichever makes it.

    Parameters
    ----------
    policy
        Device to work on; by default CUDA where there is any, in float32.
    """

    def __init__(self, policy: DevicePolicy | None = None) -> None:
        self.policy = policy or choose_device("auto", "fp32")
        self.step = -1
        self.taken_at = 0.0
        cuda = self.policy.device.type == "cuda"
        # A stream of its own, and before the trainer's: a picture need not wait for the steps that are queued.
        self._stream = torch.cuda.Stream(self.policy.device, priority=-1) if cuda else None  # type: ignore[no-untyped-call]
        self._model: LatentModel | None = None
        self._targets: dict[str, Tensor] = {}

    @property
    def info(self) -> ModelInfo | None:
        """What the replica was built for; None before the first ``load``."""
        return self._model.info if self._model is not None else None

    @property
    def model(self) -> LatentModel | None:
        """The replica itself, for measures that no request asks for; None before the first ``load``."""
        return self._model

    def load(self, snapshot: WeightSnapshot) -> None:
        """Copy a snapshot's weights; the networks are rebuilt only when the model is another one.

        Raises
        ------
        InputError
            If the weights do not belong to the model they come with.
        """
        with torch.cuda.stream(self._stream):  # None changes nothing.
            if self._stream is not None:
                self._stream.wait_stream(torch.cuda.default_stream(self.policy.device))
            model, targets = self._networks(snapshot)
            self._model = None  # Half-copied weights must not answer anything.
            try:
                with torch.no_grad():
                    for name, target in targets.items():
                        target.copy_(snapshot.state[name])
            except RuntimeError as error:
                raise InputError(f"The weights do not fit the model: {error}", where="checkpoint") from None
            if self._stream is not None:
                self._stream.synchronize()  # The trainer may free the snapshot as soon as this returns.
        model.info = snapshot.info
        self._model, self._targets = model, targets
        self.step, self.taken_at = snapshot.step, snapshot.taken_at

    def _networks(self, snapshot: WeightSnapshot) -> tuple[LatentModel, dict[str, Tensor]]:
        """Return networks for a snapshot and the tensors to copy it into: those there are, where they fit."""
        model, targets = self._model, self._targets
        if model is None or _differs(model.info, snapshot.info) or targets.keys() - snapshot.state.keys():
            model = self.policy.place(build_model(snapshot.info)).eval()
            targets = dict(model.inference_state())
        missing = targets.keys() - snapshot.state.keys()
        if missing:
            self._model = None
            raise InputError(f"The weights lack {min(missing)}", where="checkpoint")
        return model, targets

    def run(self, request: InferenceRequest) -> InferenceResult:
        """Answer a request; whatever is wrong with it is the answer's ``error``.

        Returns
        -------
        InferenceResult
            Pictures fresh, contiguous, (B,H,W,C) uint8; ``took_ms`` of work in this thread.
        """
        began = time.perf_counter()
        try:
            with torch.inference_mode(), torch.cuda.stream(self._stream):
                result = self._answer(request)
        except (LatentLabError, RuntimeError) as error:
            result = self._result(request, error=ErrorReport.of(error, "exploring"))
        return replace(result, took_ms=(time.perf_counter() - began) * 1000)

    def decode(self, z_BD: Floats, labels: Ints | None = None, shares_BK: Floats | None = None) -> Tensor:
        """Return decoded images (B,C,H,W) float32 in [0,1] on the device.

        Raises
        ------
        InputError
            If there are no weights, or ``z_BD``, ``labels`` or ``shares_BK`` do not fit the model.
        """
        model = self._loaded()
        z = self._points(model, z_BD)
        shares = self._shares(model, shares_BK, len(z_BD))
        y_B = self._labels(model, labels, len(z_BD)) if shares is None else shares
        if y_B is None and model.info.conditional:
            raise InputError("This model decodes a class: choose one", where="class")
        return model.decode(z, y_B)

    def _answer(self, request: InferenceRequest) -> InferenceResult:
        if isinstance(request, DecodeRequest):
            return self._result(request, images=to_uint8(self.decode(request.z, request.labels, request.shares)))
        model = self._loaded()
        originals = at_model_size(request.images, model.info.image_shape)
        x_BCHW = self.policy.place_images(to_tensor(originals))
        y_B = model.classes_of(x_BCHW, self._labels(model, request.labels, len(originals)))
        mu_BD, logvar_BD = model.encode(x_BCHW, y_B)
        answer = self._result(request, originals=originals, mu=_host(mu_BD))
        if logvar_BD is not None:
            answer = replace(answer, logvar=_host(logvar_BD))
        if isinstance(model, SemiSupervisedVae):
            answer = replace(answer, class_probabilities=_host(model.class_probabilities(x_BCHW)))
        if isinstance(request, EncodeRequest):
            return answer
        assert isinstance(request, ReconstructRequest)
        recon_BCHW = model.decode(mu_BD, y_B)
        pixel = _host((recon_BCHW.float() - x_BCHW).square().mean(dim=(1, 2, 3)))
        return replace(answer, images=to_uint8(recon_BCHW), pixel=pixel)

    def _result(self, request: InferenceRequest, **parts: object) -> InferenceResult:
        return InferenceResult(request, self.step, self.taken_at, **parts)  # type: ignore[arg-type]

    def _loaded(self) -> LatentModel:
        if self._model is None:
            raise InputError("There are no weights yet", hint="Train, or open a run that has a checkpoint.")
        return self._model

    def _points(self, model: LatentModel, z_BD: Floats) -> Tensor:
        dim = model.info.latent_dim
        if z_BD.ndim != 2 or z_BD.shape[1] != dim:
            raise InputError(f"z must be (B, {dim}) for this model, not {z_BD.shape}", where="z")
        if not np.isfinite(z_BD).all():
            raise InputError("z must be finite", where="z")
        return torch.from_numpy(np.array(z_BD, dtype=np.float32)).to(self.policy.device)

    def _labels(self, model: LatentModel, labels: Ints | None, count: int) -> Tensor | None:
        """Return labels on the device; a model without classes ignores them."""
        if labels is None or not model.info.conditional:
            return None
        classes = model.info.num_classes
        if labels.shape != (count,):
            raise InputError(f"There must be one class for each of {count} pictures, not {labels.shape}", where="class")
        wrong = labels[(labels < 0) | (labels >= classes)]
        if len(wrong):
            raise InputError(f"Class {wrong[0]} does not exist", where="class", hint=f"Classes are 0 to {classes - 1}.")
        return torch.from_numpy(np.array(labels, dtype=np.int64)).to(self.policy.device)

    def _shares(self, model: LatentModel, shares_BK: Floats | None, count: int) -> Tensor | None:
        """Return shares of the classes on the device; a model without classes ignores them."""
        if shares_BK is None or not model.info.conditional:
            return None
        wanted = (count, model.info.num_classes)
        if shares_BK.shape != wanted:
            raise InputError(f"Shares of classes must be {wanted}, not {shares_BK.shape}", where="class")
        if not (np.isfinite(shares_BK).all() and shares_BK.min() >= 0.0 and shares_BK.max() <= 1.0):
            raise InputError("Shares of classes are numbers from 0 to 1", where="class")
        return torch.from_numpy(np.array(shares_BK, dtype=np.float32)).to(self.policy.device)


def _host(tensor: Tensor) -> Floats:
    return np.array(tensor.float().cpu().numpy(), dtype=np.float32, order="C")


def _differs(old: ModelInfo, new: ModelInfo) -> bool:
    """Whether networks built for ``old`` cannot take weights of ``new``."""
    return (old.image_shape, old.num_classes, old.recipe.model) != (new.image_shape, new.num_classes, new.recipe.model)
