"""Every command of the window in one table: name, words, icon, shortcut, explanation, menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence

from latentlab.ui.icons import set_icon


@dataclass(frozen=True)
class ActionSpec:
    """One command. ``menu`` is its menu's title; an empty ``icon`` means none; ``group`` makes it a radio choice."""

    name: str
    text: str
    tooltip: str
    menu: str
    shortcut: str = ""
    icon: str = ""
    checkable: bool = False
    group: str = ""
    separator: bool = False


FILE, TRAIN, VIEW, HELP = "&File", "&Train", "&View", "&Help"
MENUS = (FILE, TRAIN, VIEW, HELP)

# fmt: off
SPECS: tuple[ActionSpec, ...] = (
    ActionSpec("actionNew", "&New run…",
               "Show the recipes to start from", FILE, "Ctrl+N", "recipe"),
    ActionSpec("actionOpen", "&Open…",
               "Open a run, recipe, video, or picture exported by latentlab", FILE, "Ctrl+O", "open"),
    ActionSpec("actionOpenFolder", "Open &folder…",
               "Open a run folder, or a folder of images to train on", FILE, "Ctrl+Shift+O", "open"),
    ActionSpec("actionSaveRecipe", "&Save recipe as…",
               "Write the settings to a recipe file (TOML)", FILE, "Ctrl+S", separator=True),
    ActionSpec("actionScreenshot", "Screenshot of the &page",
               "Save a picture of the page with its run, step and recipe", FILE, "F12", "screenshot", separator=True),
    ActionSpec("actionScreenshotWindow", "Screenshot of the &window",
               "Save a picture of the whole window", FILE, "Shift+F12"),
    ActionSpec("actionCopyPicture", "&Copy picture",
               "Copy a picture of the page to the clipboard", FILE, "Ctrl+Shift+C"),
    ActionSpec("actionExport", "&Export…",
               "Export a picture, grid, plot, page or the window at 1, 2 or 4 times its size, or latents as numbers",
               FILE, "Ctrl+Shift+E", "save"),
    ActionSpec("actionRecord", "&Record a walk…",
               "Film a walk through latent space, from keyframe to keyframe", FILE, "Ctrl+Shift+R", "video"),
    ActionSpec("actionKeyframe", "Add &keyframe",
               "Add the point of the page in front to the walk", FILE, "Ctrl+Shift+K", "add"),
    ActionSpec("actionQuit", "&Quit",
               "Close the window; a training is stopped and its run kept", FILE, "Ctrl+Q", separator=True),
    ActionSpec("actionTrain", "&Train",
               "Start a new run with the settings of the panel", TRAIN, "F5", "train"),
    ActionSpec("actionPause", "&Pause",
               "Hold the training at its step, or go on", TRAIN, "F6", "pause"),
    ActionSpec("actionStep", "Sin&gle step",
               "Train one step, show it, and hold", TRAIN, "F7", "step_forward"),
    ActionSpec("actionStop", "&Stop",
               "Stop the training and keep the run with a checkpoint", TRAIN, "Shift+F5", "stop"),
    ActionSpec("actionCheckpoint", "Chec&kpoint now",
               "Write a numbered checkpoint at once", TRAIN, "Ctrl+K", "checkpoint"),
    ActionSpec("actionDiscard", "Stop and &discard…",
               "Stop the training and move its run to the trash", TRAIN, "", "close"),
    ActionSpec("actionContinue", "&Continue this run",
               "Go on training the open run from its last checkpoint", TRAIN, "Ctrl+F5", "resume", separator=True),
    ActionSpec("actionMonitor", "&Monitor",
               "Curves and previews of the training", VIEW, "Ctrl+1", "monitor", True, "page"),
    ActionSpec("actionExplore", "&Explore",
               "Move through the latent space with the newest weights", VIEW, "Ctrl+2", "explore", True, "page"),
    ActionSpec("actionCondition", "&Condition",
               "Samples by class and style", VIEW, "Ctrl+3", "condition", True, "page"),
    ActionSpec("actionVideo", "&Video",
               "A video beside its reconstruction, frame by frame", VIEW, "Ctrl+4", "video", True, "page"),
    ActionSpec("actionMap", "M&ap",
               "The whole data set in latent space", VIEW, "Ctrl+5", "map", True, "page"),
    ActionSpec("actionRuns", "&Runs",
               "All runs, compared; sweeps and exports", VIEW, "Ctrl+6", "runs", True, "page"),
    ActionSpec("actionTearOff", "Page in its &own window",
               "Move the page to its own window, or put it back", VIEW, "Ctrl+Shift+D", separator=True),
    ActionSpec("actionSettings", "&Settings panel",
               "Show or fold away the settings", VIEW, "Ctrl+,", "settings", True),
    ActionSpec("actionFullScreen", "&Full screen",
               "Fill the screen, or go back", VIEW, "F11", checkable=True),
    ActionSpec("actionThemeSystem", "Follow the &system",
               "Dark or light as the system says", VIEW, checkable=True, group="theme", separator=True),
    ActionSpec("actionThemeDark", "&Dark",
               "Always use the dark theme", VIEW, checkable=True, group="theme"),
    ActionSpec("actionThemeLight", "&Light",
               "Always use the light theme", VIEW, checkable=True, group="theme"),
    ActionSpec("actionShortcuts", "&Shortcuts",
               "List the keyboard shortcuts", HELP, "F1"),
    ActionSpec("actionRunsFolder", "Open the &runs folder",
               "Show the folder with all runs in the file manager", HELP),
    ActionSpec("actionAbout", "&About latentlab",
               "Version, device and where files are kept", HELP, separator=True),
)
# fmt: on

PAGE_ACTIONS = {
    "monitorPage": "actionMonitor",
    "explorePage": "actionExplore",
    "conditionPage": "actionCondition",
    "videoPage": "actionVideo",
    "mapPage": "actionMap",
    "runsPage": "actionRuns",
}


def build_actions(parent: QObject) -> dict[str, QAction]:
    """Return a ``QAction`` for every entry of the table, owned by ``parent``, by name."""
    actions: dict[str, QAction] = {}
    groups: dict[str, QActionGroup] = {}
    for spec in SPECS:
        action = QAction(spec.text, parent)
        action.setObjectName(spec.name)
        action.setIconText(spec.text.replace("&", "").rstrip("…"))
        if spec.shortcut:
            action.setShortcut(QKeySequence(spec.shortcut))
        action.setCheckable(spec.checkable)
        set_tooltip(action, spec.tooltip)
        if spec.group:
            groups.setdefault(spec.group, QActionGroup(parent)).addAction(action)
        actions[spec.name] = action
        if spec.icon:
            set_icon(action, spec.icon, "accent_text" if spec.name == "actionTrain" else "text")
    return actions


def set_tooltip(action: QAction, text: str) -> None:
    """Set an action's tooltip with its shortcut in brackets; the status tip is the text alone."""
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    action.setToolTip(f"{text} ({keys})" if keys else text)
    action.setStatusTip("")


def connect_actions(actions: Mapping[str, QAction], handlers: Mapping[str, Callable[[], object]]) -> None:
    """Connect each handler to its action's ``triggered``; the checked flag is not passed on."""
    for name, handler in handlers.items():
        actions[name].triggered.connect(lambda _checked=False, call=handler: call())
