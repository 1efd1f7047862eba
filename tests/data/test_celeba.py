import shutil

import numpy as np
import pytest
from PIL import Image

from latentlab.core.errors import InputError
from latentlab.core.recipe_data import DataConfig
from latentlab.data.catalog import load_dataset

COUNT = 8


def write(root, packed=False):
    folder = root / "celeba" / "img_align_celeba"
    folder.mkdir(parents=True)
    names = [f"{i:06d}.jpg" for i in range(1, COUNT + 1)]
    for i, name in enumerate(names):
        Image.new("RGB", (178, 218), (i * 30, 100, 200 - i * 20)).save(folder / name, quality=95)
    rows = [f"{name} {1 if i % 2 else -1} -1" for i, name in enumerate(names)]
    (root / "celeba" / "list_attr_celeba.txt").write_text(f"{COUNT}\nSmiling Young\n" + "\n".join(rows) + "\n")
    sides = [f"{name} {[0, 0, 0, 0, 0, 1, 2, 2][i]}" for i, name in enumerate(names)]
    (root / "celeba" / "list_eval_partition.txt").write_text("\n".join(sides) + "\n")
    if packed:
        shutil.make_archive(str(folder), "zip", root / "celeba", "img_align_celeba")
        shutil.rmtree(folder)
    return root


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("below", ["", "celeba"])
def test_pictures_attributes_and_split(tmp_path, packed, below):
    write(tmp_path, packed)
    data = load_dataset(DataConfig(spec=f"celeba:{tmp_path / below}", size=(32, 32), crop=(15, 40, 148, 148)))
    assert data.images.shape == (COUNT, 32, 32, 3)
    assert np.abs(data.images[:, 16, 16, 0].astype(int) - np.arange(COUNT) * 30).max() < 6
    assert data.attribute_names == ("Smiling", "Young")
    assert data.attributes.tolist() == [[i % 2, 0] for i in range(COUNT)]
    assert data.test_index.tolist() == [6, 7]


def test_without_tables_it_is_just_pictures(tmp_path):
    write(tmp_path)
    for table in (tmp_path / "celeba").glob("*.txt"):
        table.unlink()
    data = load_dataset(DataConfig(spec=f"celeba:{tmp_path}", size=(16, 16)))
    assert data.attributes is None
    assert len(data.test_index) == 1


def test_a_folder_of_other_faces_is_told_to_be_one(tmp_path):
    with pytest.raises(InputError, match="does not hold CelebA") as caught:
        load_dataset(DataConfig(spec=f"celeba:{tmp_path}"))
    assert f"folder:{tmp_path}" in caught.value.hint


def test_a_damaged_archive_is_one_sentence(tmp_path):
    (tmp_path / "img_align_celeba.zip").write_bytes(b"nothing")
    with pytest.raises(InputError, match="img_align_celeba cannot be read"):
        load_dataset(DataConfig(spec=f"celeba:{tmp_path}"))
