"""``latentlab recipes``: what can be trained, and what each setting means."""

from __future__ import annotations

import argparse
from typing import Any

from latentlab.commands import print_json
from latentlab.core.recipe import setting_facts
from latentlab.core.recipe_io import bundled_recipes, find_recipe, read_recipe, recipe_fields, recipe_toml


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "recipes", help="list recipes and their settings", description="List the recipes that come with latentlab."
    )
    parser.add_argument("name", nargs="?", metavar="RECIPE", help="print this recipe as TOML instead")
    parser.add_argument("--keys", action="store_true", help="explain every recipe key instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print recipes, one recipe, or all keys."""
    if args.name:
        recipe = find_recipe(args.name)
        print_json(recipe.model_dump(mode="json")) if args.json else print(recipe_toml(recipe), end="")
    elif args.keys:
        _print_keys(args.json)
    else:
        _print_recipes(args.json)
    return 0


def _print_recipes(as_json: bool) -> None:
    recipes = {name: read_recipe(path) for name, path in bundled_recipes().items()}
    if as_json:
        facts = [
            {
                "name": name,
                "title": r.title,
                "story": r.story,
                "group": r.group,
                "kind": r.model.kind,
                "data": r.data.spec,
                "steps": r.training.steps,
            }
            for name, r in recipes.items()
        ]
        print_json({"recipes": facts})
        return
    width = max(map(len, recipes), default=0)
    for name, recipe in recipes.items():
        print(f"{name:<{width}}  {recipe.model.kind:<7} {recipe.story}")


def _print_keys(as_json: bool) -> None:
    facts = [setting_facts(key, field) for key, field in recipe_fields()]
    if as_json:
        print_json({"keys": facts})
        return
    for fact in facts:
        bounds = ", ".join(part for part in (fact["allowed"], fact["unit"]) if part)
        print(f"{fact['key']} = {fact['default']}   ({bounds})" if bounds else f"{fact['key']} = {fact['default']}")
        print(f"    {fact['description']}")
