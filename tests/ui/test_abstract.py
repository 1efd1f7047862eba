"""Qt's classes do not refuse an abstract method that nobody fills in, as Python's would: this does."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import latentlab.ui


def unfilled(classes: set[type]) -> list[str]:
    """Return the abstract methods of classes that are made, not derived from."""
    parents = {base for one in classes for base in one.__mro__[1:]}
    return [
        f"{one.__module__}.{one.__name__}.{name}"
        for one in classes - parents
        for name, value in inspect.getmembers(one)
        if getattr(value, "__isabstractmethod__", False) and not inspect.isabstract(one)
    ]


def test_every_abstract_method_of_the_window_is_filled_in():
    modules = [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(latentlab.ui.__path__, "latentlab.ui.")
    ]
    classes = {
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__.startswith("latentlab.ui.")
    }
    marked = [name for one in classes for name, value in vars(one).items() if hasattr(value, "__isabstractmethod__")]
    assert {"take", "draw", "key", "build"} <= set(marked)
    assert unfilled(classes) == []


def test_the_test_sees_one_that_is_not():
    from latentlab.ui.views.latent_figures import VectorFigure

    careless = type("Careless", (VectorFigure,), {"__module__": "here"})
    assert unfilled({VectorFigure, careless}) == ["here.Careless.take"]
