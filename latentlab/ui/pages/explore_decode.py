"""The picture of the present point: decoded, or encoded and decoded anew while it is a picture's own code."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from latentlab.core.messages import DecodeRequest, ErrorReport, Floats, Images, InferenceResult, ReconstructRequest
from latentlab.ui.context import AppContext
from latentlab.ui.pages.explore_moves import Moves
from latentlab.ui.widgets.image_input import ChosenImage
from latentlab.ui.widgets.image_start import ImageStart, labels_of
from latentlab.ui.widgets.pane_requests import PaneRequests


class PointDecoder(QObject):
    """Asks for the present point, for a picture that was brought, or for what is pointed at. Thread: GUI.

    Signals
    -------
    pictured
        (``InferenceResult``, the original (1, H, W, C) that belongs beside it or None, caption).
    encoded
        The point has become a picture's code, or that code by newer weights.
    """

    pictured = Signal(object, object, str)
    encoded = Signal()

    def __init__(self, context: AppContext, moves: Moves, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._moves = context, moves
        self._image: ImageStart | None = None
        self._preview: Floats | None = None
        self._error = ""
        self._requests = PaneRequests(context.inference, "explore", self)
        self._requests.answered.connect(self._on_answer)

    @property
    def busy(self) -> bool:
        """Whether a picture is on its way."""
        return self._requests.busy

    @property
    def original(self) -> Images | None:
        """The picture (1, H, W, C) that the present point began as, or None."""
        image = self._image
        return image.original if image is not None and image.is_source_of(self._moves.point) else None

    def begin(self, image: ChosenImage) -> None:
        """Take a picture to encode; its own class is used where it is known, the chosen one otherwise."""
        self._image, self._preview = ImageStart.of(image, self._moves.point.label), None

    def point_at(self, z: Floats | None) -> bool:
        """Show z (D,) without going there, None the present point again; return whether that is another picture."""
        changed = z is not None or self._preview is not None
        self._preview = z
        return changed

    def ask(self, conditional: bool) -> None:
        """Ask for the picture; while z is an image's own encoding, for the image anew."""
        point, image = self._moves.point, self._image
        if self._preview is None and image is not None and (image.z is None or image.is_at(point)):
            self._requests.ask(image.request(conditional))
            return
        z = point.z if self._preview is None else self._preview
        self._requests.ask(DecodeRequest(z[None], labels_of(point.label, 1, conditional)))

    def cancel(self) -> None:
        """Ask for nothing more."""
        self._preview = None
        self._requests.cancel()

    def forget(self) -> None:
        """Forget the picture that was brought: another model."""
        self._image = self._preview = None

    @Slot(object)
    def _on_answer(self, result: InferenceResult) -> None:
        if result.error is not None:
            self._tell(result.error)
        if result.images is None:
            return
        self._error = ""
        image, caption = self._image, "decoded"
        if isinstance(result.request, ReconstructRequest):
            if image is None or not self._take_encoding(image, result):
                return
            caption += "" if image.psnr is None else f" · PSNR {image.psnr:.1f} dB"
        elif self._preview is not None:
            caption += ", pointed at"
        elif self._moves.point.edited:
            caption += ", moved"
        self.pictured.emit(result, self.original, caption)

    def _tell(self, error: ErrorReport) -> None:
        """Report an error once, not with every picture; a picture that cannot be encoded is let go."""
        if self._image is not None and self._image.z is None:
            self._image = None
        if error.what != self._error:
            self._error = error.what
            self._context.errors.report(error)

    def _take_encoding(self, image: ImageStart, result: InferenceResult) -> bool:
        """Go to a picture's z when it arrives, and along with it while newer weights encode it anew."""
        first = image.z is None
        if not image.take(result) or image.z is None:
            return False
        if first:
            self._moves.state.set_z(image.z, image.image.name, label=image.label)
        elif image.is_at(self._moves.point):
            self._moves.state.refresh_z(image.z)
        self.encoded.emit()
        return True
