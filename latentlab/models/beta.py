"""The weight of the KLD and how it moves: fixed, annealed, or controlled towards a target.

Every value is a float32 scalar on the training device and every rule is tensor arithmetic, so that
moving β never waits for the device. ``kld_per_dim`` is in nats per latent dimension throughout.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from latentlab.core.recipe import ObjectiveConfig


class BetaController(ABC):
    """Common part of all rules.

    Use in a step: ``beta = controller.at(step)`` weighs this step's KLD, and
    ``controller.update(kld_per_dim)`` then prepares the next step. ``value`` is the weight last
    given. Tensors that were handed out are never changed afterwards.

    Thread: trainer.
    """

    stateful: ClassVar[bool] = False

    def __init__(self, objective: ObjectiveConfig, device: torch.device) -> None:
        self.device = device
        self.objective = objective
        self.value = self._scalar(objective.initial_beta)

    def _scalar(self, value: float) -> Tensor:
        # torch.full is a kernel launch; torch.tensor(value, device=cuda) would be a copy that waits.
        return torch.full((), value, dtype=torch.float32, device=self.device)

    @abstractmethod
    def at(self, step: int) -> Tensor:
        """Return the weight for training step ``step`` (0 is the first), a float32 scalar on the device."""

    @abstractmethod
    def update(self, kld_per_dim: Tensor) -> None:
        """Take note of the step's KLD per dimension, a device scalar."""

    def configure(self, objective: ObjectiveConfig) -> None:
        """Adopt live changes of target, step size, schedule lengths or ``initial_beta``.

        A changed ``initial_beta`` restarts the controlled rules from it; anything else leaves the
        current weight where it is.
        """
        restart = objective.initial_beta != self.objective.initial_beta
        self.objective = objective
        if restart:
            self.restart(objective.initial_beta)

    def restart(self, beta: float) -> None:
        """Continue from the weight ``beta``, forgetting the past."""
        self.value = self._scalar(beta)

    def state_dict(self) -> dict[str, Tensor]:
        """Return what a resumed run needs; empty for schedules, which follow from the step alone."""
        return {"value": self.value.detach().clone()} if self.stateful else {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore ``state_dict()``'s tensors, bit for bit."""
        if self.stateful:
            self.value = state["value"].to(self.device, torch.float32).clone()


class ScheduledBeta(BetaController):
    """A weight that follows from the step alone: ``initial_beta`` times a share in [0, 1]."""

    def update(self, kld_per_dim: Tensor) -> None:
        """Ignore the KLD: a schedule does not listen."""

    def at(self, step: int) -> Tensor:
        """Return ``initial_beta * share(step)``; 0 before ``anneal_delay``."""
        elapsed = step - self.objective.anneal_delay
        share = self.share(elapsed / self.objective.anneal_steps) if elapsed >= 0 else 0.0
        self.value = self._scalar(self.objective.initial_beta * share)
        return self.value

    @abstractmethod
    def share(self, time: float) -> float:
        """Return the share of the full weight after ``time`` >= 0, measured in units of ``anneal_steps``."""


class FixedBeta(ScheduledBeta):
    """A constant weight (Higgins et al. 2017; 1 is the plain VAE)."""

    def at(self, step: int) -> Tensor:
        """Return ``initial_beta`` from the first step on, whatever the delay."""
        return self.value

    def share(self, time: float) -> float:
        """Return 1."""
        return 1.0


class LinearBeta(ScheduledBeta):
    """Grows linearly from 0 to full over ``anneal_steps`` (Bowman et al. 2016)."""

    def share(self, time: float) -> float:
        """Return min(1, time)."""
        return min(1.0, time)


class SigmoidBeta(ScheduledBeta):
    """Grows along a logistic curve from 0.25 % to 99.75 % over ``anneal_steps`` (Bowman et al. 2016)."""

    STEEPNESS = 12.0

    def share(self, time: float) -> float:
        """Return 1 / (1 + exp(-12 (time - 1/2))), and 1 once ``anneal_steps`` have passed."""
        return 1.0 if time >= 1.0 else 1.0 / (1.0 + math.exp(-self.STEEPNESS * (time - 0.5)))


class CyclicalBeta(ScheduledBeta):
    """Repeats cycles of ``anneal_steps``: the first half grows linearly, the second stays full (Fu et al. 2019)."""

    GROWING_SHARE = 0.5

    def share(self, time: float) -> float:
        """Return min(1, fraction of the cycle / R) with R = 1/2, the paper's choice."""
        return min(1.0, (time % 1.0) / self.GROWING_SHARE)


class AdaptiveBeta(BetaController):
    """Dual gradient ascent on the constraint KLD per dimension = target (Peng et al. 2019, eq. 10).

    The splatoon text's rule: ``beta <- max(0, beta + beta_step * (kld_per_dim - target_kld))``.
    Peng et al. sum the KL over dimensions; the text, and this class, average it, so that a step size
    here acts like step / latent_dim there.
    """

    stateful = True

    def at(self, step: int) -> Tensor:
        """Return the current weight."""
        return self.value

    def update(self, kld_per_dim: Tensor) -> None:
        """Move the weight by the constraint's violation; never below 0."""
        # Separate multiply and add: a fused one would round once and differ from the rule's last bit.
        violation = kld_per_dim.detach().float() - self.objective.target_kld
        self.value = (self.value + self.objective.beta_step * violation).clamp(min=0.0)


class PiBeta(BetaController):
    """PI control of log beta by the relative error log(KLD / target).

    With e = log(kld_per_dim / target_kld) and I the sum of e: ``log beta = log(initial_beta) + K_p e + K_i I``.
    ControlVAE (Shao et al. 2020) controls beta itself with the absolute error, whose gains must fit the
    scale of the task; in logarithms the same gains fit every task, and beta stays positive.
    Anti-windup: while beta is at a bound, errors that push it further out are not summed.
    """

    stateful = True
    PROPORTIONAL = 1.0
    INTEGRAL = 0.02
    BETA_MIN, BETA_MAX = 1e-6, 1e6
    # A collapsed KLD of nearly 0 would otherwise weigh as much as hundreds of ordinary steps.
    MAX_ERROR = 5.0

    def __init__(self, objective: ObjectiveConfig, device: torch.device) -> None:
        super().__init__(objective, device)
        self.restart(objective.initial_beta)

    def restart(self, beta: float) -> None:
        """Continue from ``beta`` (held within [1e-6, 1e6]) with an empty integral."""
        self._log_start = math.log(min(max(beta, self.BETA_MIN), self.BETA_MAX))
        self.integral = self._scalar(0.0)
        self.value = self._scalar(math.exp(self._log_start))

    def at(self, step: int) -> Tensor:
        """Return the current weight."""
        return self.value

    def update(self, kld_per_dim: Tensor) -> None:
        """Advance the integral by the relative error and set the weight of the next step."""
        low, high = math.log(self.BETA_MIN), math.log(self.BETA_MAX)
        ratio = kld_per_dim.detach().float() / self.objective.target_kld
        error = ratio.clamp(min=1e-30).log().clamp(-self.MAX_ERROR, self.MAX_ERROR)
        integral = self.integral + error
        log_beta = self._log_start + self.PROPORTIONAL * error + self.INTEGRAL * integral
        winds_up = ((log_beta > high) & (error > 0)) | ((log_beta < low) & (error < 0))
        self.integral = torch.where(winds_up, self.integral, integral)
        self.value = log_beta.clamp(low, high).exp()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the weight, the integral and the logarithm the control started from."""
        start = torch.tensor(self._log_start, dtype=torch.float64)
        return {**super().state_dict(), "integral": self.integral.detach().clone(), "log_start": start}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore the three numbers of ``state_dict()``."""
        super().load_state_dict(state)
        self.integral = state["integral"].to(self.device, torch.float32).clone()
        self._log_start = float(state["log_start"])


_RULES: dict[str, type[BetaController]] = {
    "fixed": FixedBeta,
    "linear": LinearBeta,
    "sigmoid": SigmoidBeta,
    "cyclical": CyclicalBeta,
    "adaptive": AdaptiveBeta,
    "pi": PiBeta,
}


def build_beta(objective: ObjectiveConfig, device: torch.device | str = "cpu") -> BetaController:
    """Return the controller that ``objective.beta`` names, with its scalars on ``device``."""
    return _RULES[objective.beta](objective, torch.device(device))
