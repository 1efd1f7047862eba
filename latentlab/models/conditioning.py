"""How a class enters a network: as a vector beside z or features, or as planes beside an image.

A class is a row of K shares, (B, K) float32: 1 at the class where it is known, zeros where it is not, and
for a guessed class the guesser's probabilities (a soft class). Every form below is linear in the shares,
so that a soft class enters as the mixture of the classes, and an unknown one as zeros.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentlab.core.errors import InputError
from latentlab.core.messages import ModelInfo
from latentlab.core.recipe_model import Conditioning

# At height 1 convolutional networks put the class into z first and need thousands of steps to unlearn it:
# Adam moves what a large input multiplies faster, and the class should be heard before z learns to say it.
CLASS_SIGNAL = 4.0
EMBEDDING_SIZE = 16


def one_hot(y_B: Tensor | None, batch_size: int, classes: int, device: torch.device) -> Tensor:
    """Return (B, K) float32 rows, 1 at the class; a row of zeros for a label of -1, and for no labels at all.

    Rows of shares (B, K), of somebody who asks for several classes at once, are returned as they are.
    """
    if y_B is None:
        return torch.zeros(batch_size, classes, device=device)
    if y_B.ndim == 2:
        return y_B.float()
    return (y_B[:, None] == torch.arange(classes, device=device)).float()


def class_planes(class_BK: Tensor, height: int, width: int) -> Tensor:
    """Return (B, K, H, W): plane k of an image is the constant share of class k, all ones for a known class."""
    return class_BK[:, :, None, None].expand(-1, -1, height, width)


class OneHotCode(nn.Module):
    """The shares themselves, times ``signal``. Nothing is learned here."""

    def __init__(self, classes: int, signal: float = CLASS_SIGNAL) -> None:
        super().__init__()
        self.size, self.signal = classes, signal

    def forward(self, class_BK: Tensor) -> Tensor:
        """Return (B, K)."""
        return self.signal * class_BK


class EmbeddingCode(nn.Module):
    """A learned vector for each class, weighed by the shares."""

    def __init__(self, classes: int, size: int = EMBEDDING_SIZE) -> None:
        super().__init__()
        self.size = size
        self.table = nn.Embedding(classes, size)

    def forward(self, class_BK: Tensor) -> Tensor:
        """Return (B, ``size``)."""
        return class_BK @ self.table.weight


def build_class_code(
    conditioning: Conditioning, classes: int, signal: float = CLASS_SIGNAL
) -> OneHotCode | EmbeddingCode:
    """Return the form called ``conditioning``; its ``size`` is how many inputs it adds to a network.

    ``signal`` is the height of a one-hot code.
    """
    return EmbeddingCode(classes) if conditioning == "embedding" else OneHotCode(classes, signal)


def require_classes(info: ModelInfo, what: str) -> int:
    """Return the number of classes that ``what`` ("A conditional VAE", ...) is conditioned on.

    Raises
    ------
    InputError
        If the data has no classes.
    """
    if info.num_classes < 1:
        raise InputError(
            f"{what} needs images with classes, and this data set has none",
            where="model.kind",
            hint="Use model.kind = vae, or data with labels: digits, or a folder with a sub-folder per class.",
        )
    return info.num_classes
