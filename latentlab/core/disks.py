"""What kind of disk a folder is on."""

from __future__ import annotations

from pathlib import Path

import psutil

NETWORK_KINDS = (
    *("nfs", "cifs", "smb", "9p", "afs", "afpfs", "webdav", "davfs", "sshfs", "fuse.sshfs", "fuse.rclone", "glusterfs"),
    *("fuse.glusterfs", "ceph", "fuse.ceph", "lustre", "beegfs", "gpfs", "orangefs", "vboxsf", "prl_fs", "remote"),
)
"""Beginnings of the names of file systems that several machines may share."""


def is_network_disk(path: Path) -> bool:
    """Whether other machines may see the disk of ``path``, which need not exist; False where that is unknown."""
    place = path.absolute()
    if place.drive.startswith("\\\\"):  # Windows: a share without a letter
        return True
    best, found = -1, False
    for disk in psutil.disk_partitions(all=True):
        mount = Path(disk.mountpoint)
        if place.is_relative_to(mount) and len(mount.parts) >= best:  # The last mount on a place hides the others.
            best = len(mount.parts)
            kind = f"{disk.fstype},{disk.opts}" if place.drive else disk.fstype
            found = any(part.lower().startswith(NETWORK_KINDS) for part in kind.split(","))
    return found
