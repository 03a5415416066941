"""The machine that the numbers belong to."""

import os
import pathlib


def describe():
    """What decides how fast things are here."""
    return {
        "cpu": field("/proc/cpuinfo", "model name") or os.uname().machine,
        "cores": os.cpu_count(),
        "memory_mib": int((field("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) // 1024,
        "kernel": os.uname().release,
        "load": load(),
    }


def line():
    """The same for people."""
    it = describe()
    text = f"{it['cpu']}, {it['cores']} cores, {it['memory_mib'] / 1024:.1f} GiB, Linux {it['kernel']}, load {it['load']}"
    if os.getloadavg()[0] > it["cores"] / 4:
        text += "\nThe machine has other work: repeat when it is quiet."
    return text


def load():
    """Mean number of runnable processes over 1, 5 and 15 minutes."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def field(file, name):
    """The first value of `name: value` in a file of /proc."""
    for row in pathlib.Path(file).read_text().splitlines():
        key, _, value = row.partition(":")
        if key.strip() == name:
            return value.strip()
    return None
