"""The difference of a frame and its reconstruction as a picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Images
from latentlab.core.video_messages import DifferenceKind

# Black, violet, red, orange, pale yellow: brightness grows steadily, so the map also reads in grey and to
# eyes that confuse red and green.
_STOPS = np.array([[0, 0, 0], [58, 15, 110], [165, 38, 96], [240, 110, 40], [252, 252, 190]], dtype=np.float32)
_HEAT: npt.NDArray[np.uint8] = np.stack(
    [np.interp(np.linspace(0, 4, 256), np.arange(5), _STOPS[:, channel]) for channel in range(3)], axis=1
).astype(np.uint8)


def difference_image(original: Images, reconstruction: Images, kind: DifferenceKind, gain: float) -> Images:
    """Draw where and how a reconstruction differs.

    Parameters
    ----------
    original, reconstruction
        (H, W, C) uint8 of the same shape.
    kind
        ``"signed"``: mid-grey plus the amplified difference of each channel, so that brighter means the
        reconstruction is too bright. ``"heat"``: the amplified mean absolute difference of the channels,
        from black (equal) to pale yellow.
    gain
        Factor on the difference; a difference of 255 / gain reaches the end of the heat scale.

    Returns
    -------
    (H, W, 3) uint8 for heat, (H, W, C) for signed.
    """
    delta = reconstruction.astype(np.float32) - original
    if kind == "signed":
        return (128 + gain / 2 * delta).round().clip(0, 255).astype(np.uint8)
    level = (gain * np.abs(delta).mean(axis=2)).round().clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(_HEAT[level])
