from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from latentlab.core.disks import is_network_disk

Disk = namedtuple("Disk", "device mountpoint fstype opts")


@pytest.mark.parametrize(
    ("fstype", "network"),
    [("ext4", False), ("overlay", False), ("apfs", False), ("tmpfs", False)]
    + [(kind, True) for kind in ("nfs4", "nfs", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "lustre", "ceph")],
)
def test_the_kind_of_the_innermost_mount_decides(tmp_path, monkeypatch, fstype, network):
    def disks(*, all):
        assert all
        return [Disk("a", "/", "nfs4", "rw"), Disk("b", str(tmp_path), fstype, "rw")]

    monkeypatch.setattr(psutil, "disk_partitions", disks)
    assert is_network_disk(tmp_path / "runs" / "new") is network
    assert is_network_disk(tmp_path.parent / "beside")


def test_the_last_mount_on_a_place_counts(tmp_path, monkeypatch):
    mounts = [Disk("a", str(tmp_path), "nfs4", "rw"), Disk("b", str(tmp_path), "ext4", "rw")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounts)
    assert not is_network_disk(tmp_path)


def test_a_real_disk_can_be_asked():
    assert is_network_disk(Path.home()) in (True, False)
