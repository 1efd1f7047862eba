"""From a data spec to a data set: the one door through which pictures come in."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from latentlab.core.errors import InputError
from latentlab.core.messages import Ints, Progress, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.data import cache
from latentlab.data.dataset import Dataset
from latentlab.data.progress import ignore
from latentlab.data.source import Contents, Source, Store
from latentlab.data.spec import FIELD, parse_spec
from latentlab.data.splits import hide_labels

# Module and class of each kind, imported when asked for: a window that shows digits needs no video decoder.
_SOURCES = {
    "digits": ("digits", "DigitsSource"),
    "arena": ("arena.source", "ArenaSource"),
    "mnist": ("mnist", "MnistSource"),
    "fashion-mnist": ("mnist", "FashionMnistSource"),
    "kmnist": ("mnist", "KuzushijiSource"),
    "cifar10": ("cifar", "CifarSource"),
    "celeba": ("celeba", "CelebaSource"),
    "folder": ("folder", "FolderSource"),
    "video": ("clips", "VideoSource"),
    "npz": ("arrays", "ArraySource"),
}
MIN_IMAGES = 2


def open_source(config: DataConfig) -> Source:
    """Return the source that ``config.spec`` names, its argument checked, nothing decoded yet.

    Raises
    ------
    InputError
        If the spec is not valid, names something that is not there, or a setting does not apply to it.
    """
    spec = parse_spec(config.spec)
    module, name = _SOURCES[spec.kind]
    make: Callable[[str, DataConfig], Source] = getattr(import_module(f"latentlab.data.{module}"), name)
    source = make(spec.argument, config)
    if config.crop is not None and "crop" not in source.uses:
        raise InputError(f"{spec.kind} is made at the size asked for and cannot be cropped", where="data.crop",
                         hint="Leave data.crop empty.")  # fmt: skip
    return source


def load_dataset(config: DataConfig, *, seed: int = 0, progress: ProgressSink | None = None) -> Dataset:
    """Return the data set that ``config`` describes, decoded at its size, split, labels hidden where asked.

    Parameters
    ----------
    config
        The ``[data]`` section of a recipe.
    seed
        Decides the split and which labels are kept; the pictures do not depend on it.
    progress
        Told how far decoding has come, from this thread; may raise ``Cancelled``, which leaves nothing behind.

    Raises
    ------
    InputError
        One sentence for every spec that cannot be used: the thing, the reason, and the nearest valid spec.

    Notes
    -----
    Thread: any. Decoding happens once per source, settings and state of the files; see ``latentlab.data.cache``.
    """
    source = open_source(config)
    sink = progress or ignore
    settings = config.model_dump(mode="json", include=set(source.uses))
    kind = parse_spec(config.spec).kind
    key = cache.key_of([kind, source.version, source.identity(), settings])

    def decode(store: Store) -> Contents:
        return source.decode(store, sink)

    images, contents = cache.load_or_build(key, decode)
    for note in contents.notes:
        sink(Progress(note, len(images), len(images)))
    if len(images) < MIN_IMAGES:
        raise InputError(f"{config.spec} holds {len(images)} image, and at least {MIN_IMAGES} are needed", where=FIELD)
    train_index, test_index = source.split(contents, len(images), config.test_fraction, seed)
    labels = _visible_labels(config, contents.labels, train_index, seed)
    return Dataset(
        name=config.spec,
        images=images,
        train_index=train_index,
        test_index=test_index,
        labels=labels,
        class_names=contents.class_names,
        attributes=contents.attributes,
        attribute_names=contents.attribute_names,
        factors=contents.factors,
        fingerprint=key,
        notes=contents.notes,
        truth=contents.labels,
    )


def _visible_labels(config: DataConfig, labels: Ints | None, train_index: Ints, seed: int) -> Ints | None:
    """Return the labels that the recipe leaves visible."""
    key = "labelled_per_class" if config.labelled_per_class is not None else "labelled_fraction"
    keep = getattr(config, key)
    if keep is None:
        return labels
    if labels is None:
        where = f"data.{key}"
        raise InputError(
            f"{config.spec} has no classes whose labels could be kept", where=where, hint="Leave it empty."
        )
    if config.labelled_per_class is not None and config.labelled_fraction is not None:
        raise InputError(
            "Labels are kept by number or by share, not both",
            where="data.labelled_fraction",
            hint="Leave data.labelled_per_class or data.labelled_fraction empty.",
        )
    return hide_labels(labels, train_index, keep, seed)
