from pathlib import Path

import pytest

from latentlab.core.errors import InputError
from latentlab.data.spec import parse_spec, spec_for_path


@pytest.mark.parametrize(
    ("text", "kind", "argument"),
    [
        ("digits", "digits", ""),
        (" arena ", "arena", ""),
        ("mnist", "mnist", ""),
        ("mnist:/d/mnist", "mnist", "/d/mnist"),
        ("video:clips/*.mp4", "video", "clips/*.mp4"),
        ("folder:C:\\pictures", "folder", "C:\\pictures"),
    ],
)
def test_a_spec_is_kind_and_argument(text, kind, argument):
    spec = parse_spec(text)
    assert (spec.kind, spec.argument) == (kind, argument)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("mnst", "Did you mean mnist?"),
        ("fashion_mnist:/d", "Did you mean fashion-mnist:/d?"),
        ("cifar:/d", "Did you mean cifar10:/d?"),
        ("Digits:", "Did you mean digits?"),
        ("foldr", "Did you mean folder:DIR?"),
        ("npz:", "npz:FILE"),
        ("folder", "folder:DIR"),
        ("digits:3", "digits"),
    ],
)
def test_a_bad_spec_names_the_nearest_valid_one(text, hint):
    with pytest.raises(InputError) as caught:
        parse_spec(text)
    assert caught.value.hint == hint
    assert caught.value.where == "data.spec"


def test_nonsense_lists_what_is_known():
    with pytest.raises(InputError, match="'qqqq' is not a data set") as caught:
        parse_spec("qqqq")
    assert "folder:DIR" in caught.value.hint
    assert "digits" in caught.value.hint


def test_a_path_without_its_kind_gets_one(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"")
    with pytest.raises(InputError) as caught:
        parse_spec(str(tmp_path / "clip.mp4"))
    assert caught.value.hint == f"Did you mean video:{tmp_path / 'clip.mp4'}?"


@pytest.mark.parametrize(
    ("made", "asked", "spec"),
    [
        ("a/x.png", "a", "folder:{}/a"),
        ("a/x.png", "a/x.png", "folder:{}/a"),
        ("a/x.mkv", "a/x.mkv", "video:{}/a/x.mkv"),
        ("a/x.mkv", "a", "video:{}/a/*.mkv"),
        ("a/x.npz", "a/x.npz", "npz:{}/a/x.npz"),
        ("m/MNIST/raw/x", "m", "mnist:{}/m"),
        ("m/FashionMNIST/raw/x", "m", "fashion-mnist:{}/m"),
        ("c/cifar-10-batches-py/x", "c", "cifar10:{}/c"),
        ("f/img_align_celeba/x.jpg", "f", "celeba:{}/f"),
        ("a/x.txt", "a/x.txt", None),
        ("a/x.txt", "a/absent", None),
    ],
)
def test_the_spec_that_reads_a_path(tmp_path: Path, made, asked, spec):
    (tmp_path / made).parent.mkdir(parents=True)
    (tmp_path / made).touch()
    assert spec_for_path(tmp_path / asked) == (spec and spec.format(tmp_path))
