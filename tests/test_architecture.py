"""The layers of the design, enforced: imports point downwards only, and heavy packages stay in their layer."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "latentlab"

# layer -> layers it may import. Neighbours (data | models, training | explore) do not know each other.
ALLOWED = {
    "core": {"core"},
    "data": {"core", "data"},
    "models": {"core", "models"},
    "training": {"core", "data", "models", "training"},
    "explore": {"core", "data", "models", "explore"},
    "runtime": {"core", "data", "models", "training", "explore", "runtime"},
    "ui": {"core", "runtime", "ui"},
    "app": {"core", "data", "models", "training", "explore", "runtime", "ui", "app"},
}
# layer -> packages it may not import, at any depth of the file.
BANNED = {
    "core": {"torch", "torchvision", "PySide6", "pyqtgraph", "cv2"},
    "data": {"PySide6", "pyqtgraph"},
    "models": {"PySide6", "pyqtgraph", "cv2"},
    "training": {"PySide6", "pyqtgraph"},
    "explore": {"PySide6", "pyqtgraph"},
    "runtime": {"pyqtgraph"},
    "ui": {"torch", "torchvision", "cv2"},
    "app": set(),
}


def layer_of(path: Path, package: Path = PACKAGE) -> str:
    """Return the layer a file belongs to; files at the top and commands are the app."""
    first = path.relative_to(package).parts[0]
    return first if first in ALLOWED else "app"


def wrong_arrows(package: Path) -> list[str]:
    """Return every import in ``package`` that the design forbids."""
    wrong = []
    for path in sorted(package.rglob("*.py")):
        if "_resources" in path.parts:
            continue
        layer = layer_of(path, package)
        for line, module in imported_modules(path):
            parts = module.split(".")
            if parts[0] == "latentlab" and len(parts) > 1:
                target = parts[1] if parts[1] in ALLOWED else "app"
                if target not in ALLOWED[layer]:
                    wrong.append(f"{path.relative_to(package)}:{line} {layer} imports {module}")
            elif parts[0] in BANNED[layer]:
                wrong.append(f"{path.relative_to(package)}:{line} {layer} imports {parts[0]}")
            elif layer == "runtime" and module in ("PySide6.QtWidgets", "PySide6.QtGui"):
                wrong.append(f"{path.relative_to(package)}:{line} runtime imports {module}")
    return wrong


def imported_modules(path: Path) -> list[tuple[int, str]]:
    """Return (line, module) of every import that runs; those for type checkers only are no arrows."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for node in ast.walk(block)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            found.append((node.lineno, node.module or ""))
    return found


def test_every_import_points_downwards():
    assert wrong_arrows(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("core/bad.py", "import torch"),
        ("models/bad.py", "from latentlab.data.catalog import load_dataset"),
        ("training/bad.py", "def f():\n    from latentlab.explore import session"),
        ("ui/bad.py", "import cv2"),
        ("runtime/bad.py", "from PySide6.QtWidgets import QWidget"),
        ("data/bad.py", "import latentlab.cli"),
    ],
)
def test_the_test_sees_an_arrow_added_the_wrong_way(tmp_path: Path, file: str, code: str):
    package = tmp_path / "latentlab"
    (package / file).parent.mkdir(parents=True)
    (package / file).write_text(code)
    assert len(wrong_arrows(package)) == 1


def _modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(' '.join(sorted(m.split('.')[0] for m in sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def _import_all(layer: str) -> str:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((PACKAGE / layer).rglob("*.py"))
        if path.name != "__init__.py"
    ]
    return "import " + ", ".join(modules)


def test_training_and_explore_load_no_qt():
    assert not {"PySide6", "pyqtgraph", "shiboken6"} & _modules_after(
        _import_all("training") + "\n" + _import_all("explore")
    )


def test_the_window_opens_before_plots_are_imported():
    """pyqtgraph takes a fifth of a second that the first paint need not wait for."""
    assert "pyqtgraph" not in _modules_after("import latentlab.launch, latentlab.ui.main_window")


def test_the_window_loads_no_torch():
    loaded = _modules_after(f"{_import_all('ui')}\n{_import_all('runtime')}\nimport latentlab.app")
    assert not {"torch", "torchvision", "cv2", "sklearn"} & loaded


def test_core_is_light():
    assert not {"torch", "PySide6", "pyqtgraph", "cv2", "sklearn"} & _modules_after(_import_all("core"))


def _sizes() -> list[tuple[str, int, int]]:
    rows = []
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "scripts").glob("*.py"), *(ROOT / "tests").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        longest = max(
            (
                node.end_lineno - node.lineno + 1
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
            ),
            default=0,
        )
        rows.append((str(path.relative_to(ROOT)), text.count("\n"), longest))
    return rows


def test_files_and_functions_stay_readable():
    sizes = _sizes()
    assert [row for row in sizes if row[1] > 400] == [], "no file over 400 lines"
    assert [row for row in sizes if row[2] > 60] == [], "no function over 60 lines"
    lengths = sorted(lines for name, lines, _ in sizes if name.startswith("latentlab"))
    assert lengths[len(lengths) // 2] <= 150, "half of the files stay within 150 lines"


def test_test_modules_have_names_of_their_own():
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert sorted(names) == sorted(set(names)), "pytest imports test modules by their bare names"
