"""Layout that comes back at the next start: place, size, page, panel, theme, torn-off pages, last recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtGui import QGuiApplication

from latentlab.core.errors import InputError
from latentlab.core.recipe_io import bundled_recipes, find_recipe, validate
from latentlab.ui.page_area import TITLES

if TYPE_CHECKING:
    from latentlab.ui.main_window import MainWindow
    from latentlab.ui.settings_store import SettingsStore

DEFAULT_SIZE = QSize(1440, 900)
PANEL_WIDTH, MIN_PANEL_WIDTH, MAX_PANEL_WIDTH = 344, 304, 640


def save(window: MainWindow) -> str:
    """Write the layout; return a sentence when that fails."""
    store = window.store
    window.note_panel_width()
    states, places = window.area.save_state()
    store.set("geometry", bytes(window.saveGeometry().toBase64().data()).decode("ascii"))
    store.set("panel", {"shown": window.panel_shown, "width": window.panel_width})
    store.set("page", window.area.shown)
    store.set("pages", states)
    store.set("torn_off", places)
    store.set("form", window.form.save_state())
    recipe = window.form.recipe()
    if recipe is not None:
        store.set("recipe", recipe.model_dump(mode="json"))
        store.set("recipe_name", window.form.name)
    return store.save()


def restore(window: MainWindow, size: tuple[int, int] | None = None) -> None:
    """Bring back what ``save`` wrote, each part on its own, so that one damaged part loses only itself."""
    store = window.store
    geometry = store.get("geometry", "")
    fitting = DEFAULT_SIZE.boundedTo(_screen_size())
    window.resize(QSize(*size) if size else fitting)
    if geometry and not size:
        window.restoreGeometry(QByteArray.fromBase64(geometry.encode("ascii", "ignore")))
    panel: dict[str, object] = store.get("panel", {})
    width = panel.get("width")
    window.panel_width = (
        width if isinstance(width, int) and MIN_PANEL_WIDTH <= width <= MAX_PANEL_WIDTH else PANEL_WIDTH
    )
    window.show_panel(panel.get("shown") is not False)
    window.form.restore_state(store.get("form", {}))
    states: dict[str, object] = store.get("pages", {})
    window.area.states = {name: state for name, state in states.items() if isinstance(state, dict)}
    _restore_recipe(window)


def theme(store: SettingsStore) -> str:
    """Return the remembered choice of colours, or ``system``."""
    choice = store.get("theme", "system")
    return choice if choice in ("dark", "light") else "system"


def show_last_page(window: MainWindow, *, make: bool = True) -> None:
    """Show the page of the last time; without a run the Monitor's place is the welcome's."""
    last = window.store.get("page", "welcome")
    if last in TITLES and last != "monitorPage":
        window.show_page(last, make=make)
    else:
        window.choose_recipe()


def _screen_size() -> QSize:
    screen = QGuiApplication.primaryScreen()
    return screen.availableSize() if screen is not None else DEFAULT_SIZE


def _restore_recipe(window: MainWindow) -> None:
    """Load the last recipe; where it no longer fits the recipe model, quickstart."""
    name = window.store.get("recipe_name", "")
    values: dict[str, object] = window.store.get("recipe", {})
    try:
        if values:
            last = validate(values)
            base = find_recipe(name) if name in bundled_recipes() else last
            window.form.set_recipe(base, name)
            window.form.show_changes(last)
            return
    except InputError:
        pass  # Written by another version: the bundled recipe below is a fresh start.
    if "quickstart" in bundled_recipes():
        window.form.set_recipe(find_recipe("quickstart"), "quickstart")


def restore_torn_off(window: MainWindow) -> None:
    """Open the windows of torn-off pages again; called once the main window is on screen."""
    places: dict[str, object] = window.store.get("torn_off", {})
    for name, place in places.items():
        if name in TITLES and isinstance(place, str):
            window.area.tear_off(name, place)
