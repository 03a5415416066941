"""Processes that are started here and ended here, by their id."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

from failed import Failed

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 60


class Process:
    """A server of ours; what it complains about goes to a file."""

    def __init__(self, argv, environment, log):
        # Should this process die without a word, the kernel tells the child.
        guard = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        self.name = pathlib.Path(argv[0]).name + " " + argv[1]
        self.log = pathlib.Path(log)
        # A session of its own: Ctrl-C on the terminal must not end it before its turn.
        with self.log.open("ab") as complaints:
            self.child = subprocess.Popen(
                guard + [str(word) for word in argv],
                env={"PATH": os.environ["PATH"], **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                start_new_session=True,
            )

    def line(self):
        """The next line of its standard output."""
        line = self.child.stdout.readline()
        if not line:
            raise Failed(f"{self.name} did not start:\n{self.tail()}")
        return line.rstrip("\n")

    def stop(self):
        """Asks it to stop, and insists after a while."""
        if self.child.poll() is None:
            self.child.terminate()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()

    def tail(self, lines=15):
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def cpu_seconds(self):
        """Processor time used so far, in user and kernel mode."""
        # The second field is the name in brackets and may hold spaces.
        text = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2]
        fields = text.split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident(self):
        """Resident memory in bytes: (now, the most there ever was)."""
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        rows = dict(row.split(":", 1) for row in status.splitlines())
        return tuple(int(rows[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))

    def settle(self):
        """Waits until it has nothing to do: less than 1 % of a core over two seconds."""
        deadline = time.monotonic() + PATIENCE
        before, at = self.cpu_seconds(), time.monotonic()
        while time.monotonic() < deadline:
            time.sleep(0.25)
            if time.monotonic() - at >= 2:
                now = self.cpu_seconds()
                if now - before <= 0.02:
                    return
                before, at = now, time.monotonic()
        raise Failed(f"{self.name} did not come to rest within {PATIENCE} seconds")


def run(argv, environment=None, log=None, limit=600):
    """Runs a command to its end and answers what it printed; its process group goes with us."""
    complaints = open(log, "ab") if log else subprocess.PIPE
    child = subprocess.Popen(
        [str(word) for word in argv],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=complaints,
        text=True,
        start_new_session=True,
    )
    try:
        printed, complained = child.communicate(timeout=limit)
    except BaseException as error:
        os.killpg(child.pid, signal.SIGTERM)
        child.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Failed(f"{argv[0]} took longer than {limit} seconds") from error
        raise
    finally:
        if log:
            complaints.close()
    if child.returncode != 0:
        said = complained if complained is not None else pathlib.Path(log).read_text(errors="replace")
        raise Failed(f"{argv[0]} ended with {child.returncode}:\n" + "\n".join(said.splitlines()[-15:]))
    return printed
