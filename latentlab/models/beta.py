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

    def __init__(self, objective: ObjectiveConfig, device: torch.device, latent_dim: int = 1) -> None:
        self.device = device
        self.objective = objective
        self.latent_dim = latent_dim
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

    def terms(self) -> dict[str, Tensor]:
        """Return what the rule steers by and what makes up its weight, for the record; device scalars.

        ``target_kld``, nats per dimension, and ``kld_error``, KLD / target - 1, of the latest update. Rules
        without a target have none.
        """
        return {}

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


class TargetedBeta(BetaController):
    """Common part of the rules that hold the KLD at a target; each ``update`` begins by ``_seen``."""

    SMALLEST_TARGET = 1e-3

    def __init__(self, objective: ObjectiveConfig, device: torch.device, latent_dim: int = 1) -> None:
        super().__init__(objective, device, latent_dim)
        self._terms: dict[str, Tensor] = {}

    def at(self, step: int) -> Tensor:
        """Return the current weight."""
        return self.value

    def terms(self) -> dict[str, Tensor]:
        """Return target and relative error of the latest update; nothing before the first."""
        return self._terms

    def _seen(self, kld_per_dim: Tensor, target: float) -> Tensor:
        """Note the KLD, and return it detached, float32."""
        kld = kld_per_dim.detach().float()
        # A capacity starts at 0, where there is no relative error.
        error = kld / max(target, self.SMALLEST_TARGET) - 1.0
        self._terms = {"target_kld": self._scalar(target), "kld_error": error}
        return kld


class AdaptiveBeta(TargetedBeta):
    """Dual gradient ascent on the constraint KLD per dimension = target (Peng et al. 2019, eq. 10).

    The splatoon text's rule: ``beta <- max(0, beta + beta_step * (kld_per_dim - target_kld))``.
    Peng et al. sum the KL over dimensions; the text, and this class, average it, so that a step size
    here acts like step / latent_dim there.
    """

    stateful = True

    def update(self, kld_per_dim: Tensor) -> None:
        """Move the weight by the constraint's violation; never below 0."""
        # Separate multiply and add: a fused one would round once and differ from the rule's last bit.
        violation = self._seen(kld_per_dim, self.objective.target_kld) - self.objective.target_kld
        self.value = (self.value + self.objective.beta_step * violation).clamp(min=0.0)


class PiBeta(TargetedBeta):
    """PI control of log beta by the relative error log(KLD / target).

    With e = log(kld_per_dim / target_kld), ``log beta = K_p e + I`` and ``I <- I + K_i clamp(e, -1, 1)``, where I
    starts at log(initial_beta). ControlVAE (Shao et al. 2020) controls beta itself with the absolute error, whose
    gains must fit the scale of the task; in logarithms the same gains fit every task, and beta stays positive.
    The integral takes at most one e-fold of error per step, or it would overshoot after the first steps, where
    the KLD is far away whatever the weight. While beta is at a bound, errors that push it further out are not
    summed at all (anti-windup).

    Gains: ``scripts/compare_controllers.py`` has the table. A larger K_i settles sooner on small networks and
    swings on ones whose KLD answers slowly; the loop is overdamped up to an answer of about 1 / K_i steps.
    """

    stateful = True
    PROPORTIONAL = 1.0
    INTEGRAL = 0.03
    MAX_INTEGRATED_ERROR = 1.0
    BETA_MIN, BETA_MAX = 1e-6, 1e6
    # A collapsed KLD of nearly 0 would otherwise ask for a weight of nearly 0.
    MAX_ERROR = 5.0

    def __init__(self, objective: ObjectiveConfig, device: torch.device, latent_dim: int = 1) -> None:
        super().__init__(objective, device, latent_dim)
        self.restart(objective.initial_beta)

    def restart(self, beta: float) -> None:
        """Continue from ``beta`` (held within [1e-6, 1e6]): the integral is all of it."""
        self._settle(self._scalar(min(max(beta, self.BETA_MIN), self.BETA_MAX)))

    def _settle(self, beta: Tensor) -> None:
        self.value, self.integral = beta, beta.log()
        self._factors = {"beta_p": torch.ones_like(beta), "beta_i": beta}

    def update(self, kld_per_dim: Tensor) -> None:
        """Advance the integral by the relative error and set the weight of the next step."""
        low, high = math.log(self.BETA_MIN), math.log(self.BETA_MAX)
        kld = self._seen(kld_per_dim, self.objective.target_kld)
        self._terms |= self._factors
        error = (kld / self.objective.target_kld).clamp(min=1e-30).log().clamp(-self.MAX_ERROR, self.MAX_ERROR)
        limit = self.MAX_INTEGRATED_ERROR
        integral = self.integral + self.INTEGRAL * error.clamp(-limit, limit)
        log_beta = self.PROPORTIONAL * error + integral
        winds_up = ((log_beta > high) & (error > 0)) | ((log_beta < low) & (error < 0))
        self.integral = torch.where(winds_up, self.integral, integral)
        self.value = log_beta.clamp(low, high).exp()
        self._factors = {"beta_p": (self.PROPORTIONAL * error).exp(), "beta_i": integral.exp()}

    def terms(self) -> dict[str, Tensor]:
        """Return target and error, and the factors of the weight that met this error: beta = beta_p * beta_i."""
        return super().terms()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the weight, the integral and the factors last given."""
        factors = {name: value.detach().clone() for name, value in self._factors.items()}
        return {**super().state_dict(), "log_integral": self.integral.detach().clone(), **factors}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore ``state_dict()``'s numbers; from an older version's state go on from its weight."""
        super().load_state_dict(state)
        self._settle(self.value)
        if "log_integral" in state:
            self.integral = state["log_integral"].to(self.device, torch.float32).clone()
            self._factors = {name: state[name].to(self.device, torch.float32).clone() for name in self._factors}


class CapacityBeta(TargetedBeta):
    """The constant weight of |KLD - C(t)| (Burgess et al. 2018), whose target is the capacity C(t).

    The distance itself is ``latentlab.models.kld.constrained``.
    """

    def at(self, step: int) -> Tensor:
        """Return ``capacity_weight``."""
        self.value = self._scalar(self.objective.capacity_weight)
        self._target = capacity_at(self.objective, step) / self.latent_dim
        return self.value

    def update(self, kld_per_dim: Tensor) -> None:
        """Note how far the KLD is from the capacity of the step that ``at`` was asked about."""
        self._seen(kld_per_dim, self._target)


def capacity_at(objective: ObjectiveConfig, step: int) -> float:
    """Return the capacity of training step ``step`` in nats: linear from 0 to ``capacity``, then constant."""
    return objective.capacity * min(1.0, step / objective.capacity_steps)


_RULES: dict[str, type[BetaController]] = {
    "fixed": FixedBeta,
    "linear": LinearBeta,
    "sigmoid": SigmoidBeta,
    "cyclical": CyclicalBeta,
    "adaptive": AdaptiveBeta,
    "pi": PiBeta,
    "capacity": CapacityBeta,
}


def rule_name(objective: ObjectiveConfig) -> str:
    """Return the name of the rule that weighs the KLD: that of ``objective.beta``, or capacity."""
    return "capacity" if objective.kld_form == "capacity" else objective.beta


def build_beta(
    objective: ObjectiveConfig, device: torch.device | str = "cpu", *, latent_dim: int = 1
) -> BetaController:
    """Return the controller that ``rule_name`` names, with its scalars on ``device``.

    ``latent_dim`` is the number of dimensions that a capacity, which is a sum, is spread over.
    """
    return _RULES[rule_name(objective)](objective, torch.device(device), latent_dim)
