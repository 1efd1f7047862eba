"""latentlab: train VAE-family models and explore them live.

``latentlab.load(run)`` opens a trained model in Python; see docs/api.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from latentlab.api import Model, load, steps

__all__ = ["Model", "load", "steps"]


def __getattr__(name: str) -> Any:
    """Import the API when it is first asked for: the app and the commands' --help must not wait for torch."""
    if name in __all__:
        from latentlab import api

        return getattr(api, name)
    raise AttributeError(f"module 'latentlab' has no attribute {name!r}")
