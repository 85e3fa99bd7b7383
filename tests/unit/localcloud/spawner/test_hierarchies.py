"""Control groups found on machines of every kind, from what their kernels print."""

from __future__ import annotations

from runyard.localcloud.spawner.server.hierarchies import mounts, own_folders

HYBRID = """\
36 30 0:32 / /sys/fs/cgroup/memory rw,relatime shared:1 - cgroup cgroup rw,memory
37 30 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
38 30 0:34 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup rw
39 30 0:35 / /proc rw - proc proc rw
"""
V2 = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
CONTAINER = """\
736 735 0:32 /docker/abc /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory
"""


def test_a_hybrid_machine() -> None:
    v1, v2 = own_folders(HYBRID, "4:memory:/a/b\n3:cpu,cpuacct:/c\n0::/d\n")
    assert v1 == {
        "memory": "/sys/fs/cgroup/memory/a/b",
        "cpu": "/sys/fs/cgroup/cpu,cpuacct/c",
        "cpuacct": "/sys/fs/cgroup/cpu,cpuacct/c",
    }
    assert v2 == "/sys/fs/cgroup/unified/d"


def test_a_machine_with_one_tree() -> None:
    line = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run.scope\n"
    v1, v2 = own_folders(V2, line)
    assert v1 == {}
    assert v2 == "/sys/fs/cgroup" + line[3:].strip()


def test_inside_a_container_the_path_is_relative_to_what_is_mounted() -> None:
    v1, v2 = own_folders(CONTAINER, "4:memory:/docker/abc/inner\n")
    assert v1 == {"memory": "/sys/fs/cgroup/memory/inner"}
    assert v2 == ""
    outside, _ = own_folders(CONTAINER, "4:memory:/elsewhere\n")
    assert outside == {"memory": "/sys/fs/cgroup/memory"}


def test_a_machine_without_any() -> None:
    assert own_folders("39 30 0:35 / /proc rw - proc proc rw\n", "") == ({}, "")
    assert mounts("") == []
