"""Runs side by side in one HTML file that needs nothing else: overlaid curves, a table of end values, pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

import numpy as np

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.metrics import LAST_VALUE, METRICS, TEST_PREFIX, describe
from latentlab.core.metrics_signals import QUANTILES
from latentlab.core.recipe import Recipe
from latentlab.core.run_facts import RunFacts, differences, setting_text
from latentlab.core.run_folder import METRICS as METRICS_FILE
from latentlab.core.run_folder import PREVIEWS
from latentlab.core.sweep import SweepPlan
from latentlab.training.metrics_db import ELAPSED, Series, read_metrics
from latentlab.training.report_plot import Line, colour, svg
from latentlab.training.run_facts import read_run_facts

CHOSEN = ("pixel", "kld_per_dim", "beta", "feature_matching", "z_mean", "z_std", "active_units", "loss")
TABLE = ("test_pixel", "pixel", "test_kld_per_dim", "kld_per_dim", "beta", "feature_matching", "z_std", "active_units")
LAST, LAST_TESTS = 30, 3
SMOOTH = 0.9
STYLE = """
:root { color-scheme: light dark; --text: #1c1f24; --muted: #5d6573; --line: #e3e6ea; --ground: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e6ea; --muted: #9299a5; --line: #2e3238; --ground: #17181a; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--ground); margin: 32px auto;
  max-width: 1200px; padding: 0 24px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 32px 0 8px; }
p, .unit, .tick { color: var(--muted); } .unit { font-weight: 400; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)); gap: 16px 24px; }
figure { margin: 0; } figcaption { font-weight: 600; margin-bottom: 2px; }
svg { width: 100%; height: auto; display: block; } .grid { stroke: var(--line); }
.tick { fill: var(--muted); font-size: 11px; }
.key { display: inline-block; width: 18px; height: 4px; border-radius: 2px; margin-right: 7px; vertical-align: middle; }
.legend span { margin-right: 20px; white-space: nowrap; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
th, td { text-align: left; padding: 5px 18px 5px 0; border-bottom: 1px solid var(--line); }
td.n { text-align: right; white-space: nowrap; }
th.n { text-align: right; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 20px; }
.pictures img { width: 100%; image-rendering: auto; border-radius: 4px; display: block; margin-top: 4px; }
"""


@dataclass(frozen=True)
class _Run:
    label: str
    facts: RunFacts
    series: Series


def write_report(path: Path, title: str, runs: Sequence[Path], *, plan: SweepPlan | None = None) -> None:
    """Write the report; runs that have not begun are left out and named.

    Parameters
    ----------
    path
        The HTML file.
    title
        Its heading.
    runs
        Run folders.
    plan
        Of the sweep they belong to, for their labels and the metrics to draw.

    Raises
    ------
    LatentLabError
        If no run has begun, or the file cannot be written.
    """
    labels = {run.name: run.label for run in plan.runs} if plan is not None else {}
    found = [_read(run, labels.get(run.name, "")) for run in runs if (run / METRICS_FILE).is_file()]
    if not found:
        raise InputError("There is nothing to report: none of the runs has begun", where=str(path))
    missing = [labels.get(run.name, run.name) for run in runs if not (run / METRICS_FILE).is_file()]
    text = _page(title, found, missing, plan.metrics if plan is not None else ())
    try:
        part = path.with_name(f"{path.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise LatentLabError(f"The report cannot be written: {error.strerror}", where=str(path)) from None


def _read(run: Path, label: str) -> _Run:
    return _Run(label or run.name, read_run_facts(run), read_metrics(run / METRICS_FILE))


def _page(title: str, runs: Sequence[_Run], missing: Sequence[str], metrics: Sequence[str]) -> str:
    chosen = metrics or [name for name in CHOSEN if any(name in run.series for run in runs)]
    plots = "".join(_plot(name, runs) for name in chosen)
    absent = f"<p>Not begun: {escape(', '.join(missing))}.</p>" if missing else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><h1>{escape(title)}</h1>"
        f"<p>{_about(runs)}</p>{absent}<p class='legend'>{_legend(runs)}</p>"
        f"<div class='plots'>{plots}</div>"
        f"<h2>End values</h2><p>Means of the last {LAST} logged values; of test metrics of the last {LAST_TESTS}; "
        f"β as it was at the end. A smaller test pixel loss is better.</p><div class='wide'>{_end_values(runs)}</div>"
        f"{_settings(runs)}<h2>Pictures</h2><div class='pictures'>{''.join(map(_pictures, runs))}</div></html>\n"
    )


def _about(runs: Sequence[_Run]) -> str:
    first: Recipe = runs[0].facts.recipe
    height, width = first.data.size if first.data.size else (0, 0)
    parts = [f"{len(runs)} {'runs' if len(runs) > 1 else 'run'}", f"{first.model.kind} on {escape(first.data.spec)}"]
    parts += [f"{height} × {width} pixels"] if height else []
    parts += [f"{first.model.latent_dim} latent dimensions", f"written {datetime.now():%Y-%m-%d %H:%M} by latentlab"]
    return " · ".join(parts)


def _legend(runs: Sequence[_Run]) -> str:
    keys = (f"<span>{_key(i)}{escape(run.label)}</span>" for i, run in enumerate(runs))
    return "".join(keys)


def _key(index: int) -> str:
    return f'<i class="key" style="background:{colour(index)}"></i>'


def _plot(name: str, runs: Sequence[_Run]) -> str:
    lines = [Line(run.label, *_curve(run.series, name), _bands(run.series, name)) for run in runs]
    known = name in METRICS
    about = describe(name)
    bands = " · bands: lowest to highest, and 2nd to 98th percentile" if any(line.bands for line in lines) else ""
    title = about.label if known else name
    return svg(
        title,
        f"{about.unit}{bands}".removeprefix(" · "),
        lines,
        log=about.log and not bands,
        smooth=0.0 if bands or name in LAST_VALUE else SMOOTH,
    )


def _curve(series: Series, name: str) -> tuple[np.ndarray, np.ndarray]:
    return series.get(name, (np.empty(0), np.empty(0)))


def _bands(series: Series, name: str) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    suffixes = list(QUANTILES)
    bands = []
    for low, high in ((f"{name}_min", f"{name}_max"), (f"{name}_{suffixes[0]}", f"{name}_{suffixes[-1]}")):
        if low in series and high in series and len(series[low][0]) == len(series[high][0]):
            bands.append((series[low][0], series[low][1], series[high][1]))
    return bands


def end_value(series: Series, name: str) -> float | None:
    """Return the mean of the last logged values of a metric, of β the last; None where it was never logged."""
    if name not in series:
        return None
    count = 1 if name in LAST_VALUE else LAST_TESTS if name.startswith(TEST_PREFIX) else LAST
    last = series[name][1][-count:]
    last = last[np.isfinite(last)]
    return float(last.mean()) if len(last) else None


def _end_values(runs: Sequence[_Run]) -> str:
    names = [name for name in TABLE if any(name in run.series for run in runs)]
    heads = "".join(f'<th class="n">{escape(_metric_label(name))}</th>' for name in names)
    rows = []
    for index, run in enumerate(runs):
        values: Mapping[str, float | None] = {name: end_value(run.series, name) for name in names}
        cells = "".join(f'<td class="n">{"–" if v is None else f"{v:.4g}"}</td>' for v in values.values())
        seconds = run.series[ELAPSED][1][-1] if ELAPSED in run.series else 0.0
        facts = f'<td class="n">{run.facts.step:,}</td>{cells}<td class="n">{seconds / 60:.1f} min</td>'
        rows.append(f"<tr><td>{_key(index)}{escape(run.label)}</td><td>{run.facts.state}</td>{facts}</tr>")
    return (
        f'<table><tr><th>Run</th><th>State</th><th class="n">Step</th>{heads}<th class="n">Trained</th></tr>'
        f"{''.join(rows)}</table>"
    )


def _metric_label(name: str) -> str:
    plain = name.removeprefix(TEST_PREFIX)
    label = describe(plain).label if plain in METRICS else plain
    if name == plain:
        return label
    return f"Test {label}" if label[:2].isupper() else f"Test {label[:1].lower()}{label[1:]}"


def _settings(runs: Sequence[_Run]) -> str:
    differing = differences([run.facts.recipe for run in runs])
    if not differing:
        return ""
    heads = "".join(f"<th>{_key(i)}{escape(run.label)}</th>" for i, run in enumerate(runs))
    rows = "".join(
        f"<tr><td>{escape(key)}</td>{''.join(f'<td>{escape(setting_text(value))}</td>' for value in values)}</tr>"
        for key, values in differing.items()
    )
    return f"<h2>Settings that differ</h2><div class='wide'><table><tr><th></th>{heads}</tr>{rows}</table></div>"


def newest_sheet(run: Path, kind: str) -> Path | None:
    """Return the newest preview picture of a run: its ``reconstructions`` or ``samples``."""
    return max((run / PREVIEWS).glob(f"step_*_{kind}.png"), key=lambda path: path.name, default=None)


def _pictures(run: _Run) -> str:
    parts = []
    for kind, words in (("reconstructions", "test images over their reconstructions"), ("samples", "samples")):
        sheet = newest_sheet(run.facts.path, kind)
        if sheet is not None:
            step = int(sheet.name.split("_")[1])
            data = base64.b64encode(sheet.read_bytes()).decode("ascii")
            caption = f'<span class="unit">step {step:,}: {words}</span>'
            parts.append(f'{caption}<img alt="{words}" src="data:image/png;base64,{data}">')
    return f"<figure><figcaption>{escape(run.label)}</figcaption>{''.join(parts)}</figure>" if parts else ""
