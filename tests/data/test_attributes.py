import pytest
from PIL import Image

from latentlab.core.errors import InputError
from latentlab.core.recipe_data import DataConfig
from latentlab.data.attributes import find_table, read_table
from latentlab.data.catalog import load_dataset


def write(tmp_path, text, name="attributes.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_with_commas(tmp_path):
    table = read_table(write(tmp_path, "file,Smiling,Hat\na.png,1,0\nsub/b.png,yes,\nc.png,-1,true\n"))
    assert table.names == ("Smiling", "Hat")
    assert table.of(["a.png", "sub/b.png", "c.png", "other.png"]).tolist() == [[1, 0], [1, -1], [-1, 1], [-1, -1]]


def test_celebas_list_says_minus_one_for_absent(tmp_path):
    text = "2\nSmiling Hat\n000001.jpg  1 -1\n000002.jpg -1 -1\n"
    table = read_table(write(tmp_path, text, "list_attr_celeba.txt"))
    assert table.of(["000001.jpg", "000002.jpg"]).tolist() == [[1, 0], [0, 0]]


def test_a_file_is_found_by_its_name_when_its_path_is_not_listed(tmp_path):
    table = read_table(write(tmp_path, "file,Hat\nb.png,1\n"))
    assert table.of(["sub/b.png"]).tolist() == [[1]]
    assert table.knows(["sub/b.png"])
    assert not table.knows(["c.png"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,Hat,Smile\na.png,1\n", "has 1 values in line 2, and 2 attributes"),
        ("file,Hat\na.png,1\n\nb.png,3\n", "has '3' in line 4"),
        ("", "holds no attributes"),
        ("file\na.png\n", "holds no attributes"),
        ("file,Hat\n", "holds no attributes"),
    ],
)
def test_a_bad_table_names_its_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_table(write(tmp_path, text))


def test_the_table_beside_the_pictures_is_found(tmp_path):
    assert find_table(tmp_path) is None
    write(tmp_path, "2\nA\na 1\n", "list_attr_x.txt")
    assert find_table(tmp_path).name == "list_attr_x.txt"
    write(tmp_path, "file,A\na,1\n")
    assert find_table(tmp_path).name == "attributes.csv"


def picture(path, grey):
    path.parent.mkdir(exist_ok=True)
    Image.new("L", (16, 16), grey).save(path)


def test_attributes_stay_with_their_pictures_when_files_are_skipped(tmp_path):
    for i, name in enumerate("acd"):
        picture(tmp_path / f"{name}.png", i * 100)
    (tmp_path / "b.png").write_bytes(b"no picture")
    write(tmp_path, "file,Bright\na.png,0\nb.png,0\nc.png,0\nd.png,1\n")
    data = load_dataset(DataConfig(spec=f"folder:{tmp_path}", size=(16, 16)))
    assert data.attribute_names == ("Bright",)
    assert data.attributes[:, 0].tolist() == (data.images[:, 0, 0, 0] > 150).astype(int).tolist()


def test_a_changed_table_is_read_again(tmp_path):
    for name in "ab":
        picture(tmp_path / f"{name}.png", 100)
    seen = []
    for row in ("a.png,0\nb.png,0", "a.png,1\nb.png,0\n"):
        write(tmp_path, f"file,Hat\n{row}\n")
        seen.append(int(load_dataset(DataConfig(spec=f"folder:{tmp_path}", size=(16, 16))).attributes.sum()))
    assert seen == [0, 1]


def test_a_table_of_other_pictures_is_refused(tmp_path):
    picture(tmp_path / "a.png", 1)
    write(tmp_path, "file,Hat\nz.png,1\n")
    with pytest.raises(InputError, match=r"names none .*: it has z\.png, the folder a\.png"):
        load_dataset(DataConfig(spec=f"folder:{tmp_path}", size=(16, 16)))
