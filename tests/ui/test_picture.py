from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from latentlab.ui import style
from latentlab.ui.views.picture import PictureView, tile, to_qimage
from latentlab.ui.views.picture_layout import MosaicRequest, arrange, whole_or_smooth
from latentlab.ui.widgets.empty_state import EmptyState


@pytest.fixture
def view(qtbot, qapp: QApplication) -> PictureView:
    style.apply_theme(qapp, "dark")
    widget = PictureView()
    qtbot.addWidget(widget)
    widget.resize(420, 300)
    return widget


def pictures(count: int, height: int = 8, width: int = 8, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, height, width, channels), dtype=np.uint8)


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def as_rgb(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture, 3, axis=-1) if picture.shape[-1] == 1 else picture


@pytest.mark.parametrize("channels", [1, 3])
def test_the_mosaic_holds_every_pixel_of_every_picture(view, channels):
    images = pictures(7, 9, 13, channels)
    view.set_images(images, columns=3)
    mosaic = pixels(view.image())
    assert mosaic.shape == (27, 39, 3)
    for index, picture in enumerate(images):
        row, column = divmod(index, 3)
        np.testing.assert_array_equal(mosaic[row * 9 : row * 9 + 9, column * 13 : column * 13 + 13], as_rgb(picture))
    ground = style.colour("ground").getRgb()[:3] if channels == 3 else (style.colour("ground").red(),) * 3
    assert tuple(mosaic[-1, -1]) == ground


@pytest.mark.parametrize("channels", [1, 3])
def test_small_pictures_are_magnified_by_a_whole_number_with_square_pixels(view, channels):
    images = pictures(5, 8, 8, channels)
    view.set_images(images)
    shown = pixels(view.grab().toImage())
    for index, picture in enumerate(images):
        cell = view.cell_rect(index)
        factor = cell.width() // 8
        assert factor >= 2
        assert (cell.width(), cell.height()) == (8 * factor, 8 * factor)
        expected = as_rgb(picture).repeat(factor, axis=0).repeat(factor, axis=1)
        np.testing.assert_array_equal(
            shown[cell.top() : cell.top() + cell.height(), cell.left() : cell.left() + cell.width()], expected
        )


def test_a_large_picture_is_scaled_down_smoothly_and_keeps_its_shape(view):
    wide = np.zeros((400, 1200, 3), np.uint8)
    wide[:, ::2] = 255  # stripes finer than the screen average to grey
    view.set_images(wide)
    cell = view.cell_rect(0)
    assert abs(cell.width() / cell.height() - 3) < 0.03
    middle = pixels(view.grab().toImage())[cell.center().y(), cell.left() + 20 : cell.right() - 20]
    assert 90 < middle.mean() < 165
    assert middle.std() < 40


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 200),
    st.integers(1, 200),
    st.integers(60, 900),
    st.integers(60, 900),
    st.sampled_from([None, 1, 4, 9]),
)
def test_cells_never_overlap_and_stay_inside_when_they_can(count, width, height, area_w, area_h, columns):
    request = MosaicRequest(count, (width, height), (area_w, area_h), columns, below=12, left=20, above=10)
    laid = arrange(request)
    corners = [laid.corner(index) for index in range(count)]
    assert len(set(corners)) == count
    assert laid.step_x >= laid.width
    assert laid.step_y >= laid.height + 12
    assert laid.columns * laid.rows >= count
    if laid.width > 1 and laid.height > 1 and max(laid.width, laid.height) > max(width, height) / max(width, height):
        right = max(x for x, _ in corners) + laid.width
        assert right <= area_w or laid.scale <= 1.0 / max(width, height) + 1e-9
    for index, (x, y) in enumerate(corners):
        assert laid.index_at(x + laid.width / 2, y + laid.height / 2, count) == index


def test_the_number_of_columns_gives_the_largest_pictures():
    request = MosaicRequest(12, (32, 32), (400, 300))
    free = arrange(request)
    for columns in range(1, 13):
        fixed = arrange(MosaicRequest(12, (32, 32), (400, 300), columns))
        assert free.scale >= fixed.scale


@pytest.mark.parametrize(
    ("fit", "scale", "sharp"),
    [(5.7, 5.0, True), (2.0, 2.0, True), (1.9, 1.9, False), (1.1, 1.0, True), (0.4, 0.4, False)],
)
def test_whole_magnification_from_two_on(fit, scale, sharp):
    assert whole_or_smooth(fit) == (scale, sharp)


def test_clicks_tell_the_picture(view, qtbot):
    view.set_images(pictures(6), columns=3)
    view.show()
    with qtbot.waitSignal(view.clicked) as left:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.cell_rect(4).center())
    assert left.args == [4]
    assert view.index_at(QPoint(0, 0)) is None
    with qtbot.waitSignal(view.hovered) as over:
        qtbot.mouseMove(view, view.cell_rect(2).center())
    assert over.args == [2]


def test_the_highlight_is_an_edge_outside_the_picture(view):
    images = pictures(4)
    view.set_images(images, columns=2, highlight=1)
    cell = view.cell_rect(1)
    image = view.grab().toImage()
    assert image.pixelColor(cell.left() - 1, cell.center().y()) == style.colour("accent")
    inner = tuple(images[1, 0, 0])
    assert image.pixelColor(cell.left(), cell.top()).getRgb()[:3] == inner
    view.set_highlight(None)
    assert view.grab().toImage().pixelColor(cell.left() - 1, cell.center().y()) == style.colour("ground")


def test_labels_and_captions_take_room_of_their_own(view):
    view.set_images(pictures(4), columns=2)
    bare = view.cell_rect(0)
    view.set_images(
        pictures(4), columns=2, captions=["a", "b", "c", "d"], row_labels=["zero", "one"], column_labels=["x", "y"]
    )
    labelled = view.cell_rect(0)
    assert labelled.left() > bare.left()
    assert labelled.height() <= bare.height()
    image = view.grab().toImage()
    left_of = [
        image.pixelColor(x, y) for x in range(labelled.left() - 2) for y in range(labelled.top(), labelled.bottom())
    ]
    assert any(colour != style.colour("ground") for colour in left_of)


def test_the_array_is_copied_into_the_screen_picture():
    source = pictures(1)[0]
    image = to_qimage(source)
    before = pixels(image)
    source[:] = 0
    np.testing.assert_array_equal(pixels(image), before)


def test_clear_shows_a_message_and_forgets(view):
    view.set_images(pictures(3))
    view.clear("No picture yet")
    assert view.image() is None
    assert view.picture(0) is None
    image = view.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(100, 320) for y in range(140, 160)}
    assert len(colours) > 1


def test_resizing_lays_out_again(view):
    view.set_images(pictures(2), columns=2)
    small = view.cell_rect(0).width()
    view.show()
    view.resize(900, 600)
    QApplication.processEvents()
    assert view.cell_rect(0).width() > small


def test_grey_and_colour_tiles_fill_missing_cells():
    grid = tile(pictures(3, 2, 2, 1), 2, (7, 8, 9))
    assert grid.shape == (4, 4, 1)
    assert grid[3, 3, 0] == 7


def test_the_empty_state_does_what_its_button_says(qtbot):
    pressed = []
    state = EmptyState("Nothing here. Choose a recipe.", "Choose a recipe", lambda: pressed.append(1), icon="monitor")
    qtbot.addWidget(state)
    qtbot.mouseClick(state.button, Qt.MouseButton.LeftButton)
    assert pressed == [1]
    state.set_text("Other words")
    assert state.accessibleName() == "Other words"


def test_captions_too_wide_for_their_pictures_are_thinned_out_not_cut(view):
    captions = ["−3", "−2.25", "−1.5", "−0.75", "0", "0.75", "1.5", "2.25", "3"]
    view.resize(9 * 36 + 20, 80)
    view.set_images(pictures(9, 16, 16), columns=9, captions=captions)
    widest = view.fontMetrics().horizontalAdvance("−2.25")
    assert view.cell_rect(0).width() == 32
    places = view.caption_places()
    assert all(room >= min(widest, view.fontMetrics().horizontalAdvance(captions[i])) for i, room in places)
    assert len(places) == (9 if widest <= 36 else 5)
    view.set_images(pictures(9, 16, 16), columns=9, captions=["a long caption"] * 9)
    assert [index for index, _ in view.caption_places()] == [0, 2, 4, 6, 8]
    view.set_images(pictures(9, 16, 16), columns=9, captions=["i"] * 9)
    assert [index for index, _ in view.caption_places()] == list(range(9))
