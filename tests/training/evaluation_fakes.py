"""Models whose every figure is known: linear decoders with Gaussian noise, and runs made without training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.distributions import MultivariateNormal
from training_fakes import make_recipe

from latentlab.core.messages import ModelInfo
from latentlab.core.recipe_io import recipe_toml
from latentlab.core.run_folder import CHECKPOINTS, RECIPE, write_model_info
from latentlab.data.dataset import Dataset
from latentlab.models.base import LatentModel, Posterior
from latentlab.models.device import DevicePolicy
from latentlab.models.registry import build_model
from latentlab.models.weights import MODEL_FILE, STATE_FILE, save_tensors
from latentlab.training.batches import Pictures
from latentlab.training.evaluation.subject import EvaluationOptions, Subject

CPU = DevicePolicy(torch.device("cpu"))
SIDE, PIXELS, LATENT = 4, 16, 2
SIGMA = 0.15


class LinearGaussian(LatentModel):
    """x = c_y + W z + noise, so that p(x) and p(z|x) are Gaussians; the encoder is off by ``shift`` and ``widen``."""

    def __init__(self, *, kind: str = "vae", classes: int = 0, shift: float = 0.3, widen: float = 0.4) -> None:
        recipe = make_recipe(
            model__kind=kind, model__latent_dim=LATENT, objective__sigma=SIGMA, objective__reconstruction="gaussian"
        )
        names = tuple(f"class {k}" for k in range(classes))
        super().__init__(ModelInfo(recipe, (SIDE, SIDE, 1), classes, names))
        generator = torch.Generator().manual_seed(3)
        self.encoder = self.decoder = torch.nn.Identity()
        self.weight = 0.05 * torch.randn(PIXELS, LATENT, generator=generator, dtype=torch.float64)
        self.centres = 0.5 + 0.1 * torch.rand(max(classes, 1), PIXELS, generator=generator, dtype=torch.float64)
        self.shift, self.widen = shift, widen
        precision = torch.eye(LATENT) + self.weight.T @ self.weight / SIGMA**2
        self.covariance = torch.linalg.inv(precision)

    def posterior(self, x_NP: torch.Tensor, k: int = 0) -> MultivariateNormal:
        """Return the exact p(z|x,y)."""
        mean = (x_NP.double() - self.centres[k]) @ self.weight @ self.covariance / SIGMA**2
        return MultivariateNormal(mean, self.covariance)

    def evidence(self, x_NP: torch.Tensor, k: int = 0) -> torch.Tensor:
        """Return the exact log p(x|y)."""
        covariance = self.weight @ self.weight.T + SIGMA**2 * torch.eye(PIXELS)
        return MultivariateNormal(self.centres[k], covariance).log_prob(x_NP.double())

    def proposal(self, x_NP: torch.Tensor, k: int = 0) -> MultivariateNormal:
        """Return q(z|x,y)."""
        exact = self.posterior(x_NP, k)
        variance = exact.covariance_matrix.diagonal(dim1=1, dim2=2) * (1.0 + self.widen)
        return MultivariateNormal(exact.mean + self.shift, torch.diag_embed(variance))

    def encode(self, x_BCHW, y_B=None):
        x_NP = x_BCHW.flatten(1)
        classes = torch.zeros(len(x_NP), dtype=torch.int64) if y_B is None or len(self.centres) == 1 else y_B
        every = [self.proposal(x_NP, k) for k in range(len(self.centres))]
        rows = range(len(x_NP))
        mu = torch.stack([every[int(classes[n])].mean[n] for n in rows])
        variance = torch.stack([every[int(classes[n])].variance[n] for n in rows])
        return Posterior(mu.float(), variance.log().float())

    def decode_logits(self, z_BD, y_B=None):
        classes = torch.zeros(len(z_BD), dtype=torch.int64) if y_B is None or len(self.centres) == 1 else y_B
        mean = self.centres[classes] + z_BD.double() @ self.weight.T
        assert float(mean.min()) > 0.0
        assert float(mean.max()) < 1.0
        return torch.logit(mean).reshape(-1, 1, SIDE, SIDE)

    def decode(self, z_BD, y_B=None):
        return self.decode_logits(z_BD, y_B).sigmoid().float()

    def parameter_groups(self):
        return {}

    def training_step(self, batch, context):
        raise NotImplementedError


class LinearM2(LinearGaussian):
    """The same with three classes, a uniform p(y) and a q(y|x) that depends on one pixel."""

    def __init__(self) -> None:
        super().__init__(kind="ssvae", classes=3)

    def class_probabilities(self, x_BCHW):
        first = x_BCHW[:, 0, 0, 0]
        return torch.stack([first, 2.0 * first, 0.0 * first + 0.5], dim=1).softmax(1)


def linear_data(count: int = 40, classes: int = 0) -> Dataset:
    """Random grey 4x4 pictures."""
    rng = np.random.default_rng(8)
    return Dataset(
        name="noise",
        images=rng.integers(60, 200, (count, SIDE, SIDE, 1), dtype=np.uint8),
        train_index=np.arange(count // 2),
        test_index=np.arange(count // 2, count),
        labels=np.arange(count) % classes if classes else None,
        class_names=tuple(f"class {k}" for k in range(classes)),
        fingerprint="noise-1",
    )


def pixels_of(data: Dataset, rows: np.ndarray) -> torch.Tensor:
    """Return pictures as rows in [0,1], float64."""
    return torch.tensor(data.images[rows].reshape(len(rows), -1) / 255.0)


def subject_of(model: LatentModel, data: Dataset, rows: np.ndarray | None = None, **options: object) -> Subject:
    """Return a subject on the CPU."""
    rows = data.test_index if rows is None else rows
    pictures = Pictures(data.images, CPU)
    return Subject(model.eval(), data, rows, pictures, CPU, EvaluationOptions(**options))


def write_run(folder: Path, *, channels: int = 1, seed: int = 0, classes: int = 10, **changes: object) -> Path:
    """Write a run on the built-in digits with one checkpoint of fresh weights."""
    changes.setdefault("data__spec", "digits")
    recipe = make_recipe(**changes)
    height, width = recipe.data.size
    names = tuple(str(k) for k in range(classes))
    info = ModelInfo(recipe, (height, width, channels), classes, names, folder)
    checkpoint = folder / CHECKPOINTS / "last"
    checkpoint.mkdir(parents=True)
    (folder / RECIPE).write_text(recipe_toml(recipe))
    write_model_info(folder, info, data_name=recipe.data.spec, num_train=10, num_test=2)
    generator = torch.Generator().manual_seed(seed)
    state = build_model(info, seed).state_dict()
    # Fresh networks paint the same grey for every z: their last layers are still.
    moved = {name: t + 0.1 * torch.randn(t.shape, generator=generator) for name, t in state.items()}
    save_tensors(checkpoint / MODEL_FILE, moved)
    (checkpoint / STATE_FILE).write_text('{"step": 7}')
    return folder
