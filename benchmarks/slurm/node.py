"""A Slurm of one node in a folder of its own: munge, controller and node daemon, nothing of it in the system's folders."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
CONF = """\
ClusterName=onenode
SlurmctldHost={host}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmctldPort={port}
SlurmdPort={next_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=1,sched_interval=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherParams=OverMemoryKill
MinJobAge=300
ReturnToService=2
KillWait=5
GresTypes=gpu
NodeName={host} CPUs={cpus} RealMemory={memory} Gres=gpu:1 State=UNKNOWN
PartitionName=work Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
"""Memory is kept to by ending a job that uses more; no accounting, so jobs are asked for through squeue. The one GPU is a count
without a device behind it: it shows that the device's jobs ask for one and wait for each other."""


def missing_daemons() -> list[str]:
    """Programs of Slurm that are not installed (Debian: apt-get install slurm-wlm munge)."""
    return [d for d in DAEMONS if shutil.which(d, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]


@contextmanager
def one_node(folder: Path, *, port: int = 16817) -> Iterator[dict[str, str]]:
    """Start the daemons; yields the environment in which sbatch and squeue find them, and ends them by their ids."""
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    write_files(folder, port)
    munge = {n: folder / "munge" / n for n in ("socket", "pid", "log", "seed")}
    words = [f"--{n}{'' if n == 'socket' else '-file'}={p}" for n, p in munge.items()]
    pids = [munge["pid"], folder / "slurmctld.pid", folder / "slurmd.pid"]
    try:
        start(["munged", "--force", f"--key-file={folder}/munge/key", *words], environment)
        start(["slurmctld"], environment)
        start(["slurmd"], environment)
        wait_until_idle(environment, folder)
        yield environment
    finally:
        for path in reversed(pids):
            end(path)


def write_files(folder: Path, port: int) -> None:
    """The configuration, munge's key, and the folders that the daemons want."""
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(parents=True)
    (folder / "munge").chmod(0o711)
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 9 // 10 // 2**20
    told = {"host": socket.gethostname(), "user": user, "folder": folder, "port": port, "next_port": port + 1}
    (folder / "slurm.conf").write_text(CONF.format(cpus=os.cpu_count(), memory=memory, **told))
    (folder / "gres.conf").write_text("Name=gpu Count=1\n")


def start(words: list[str], environment: dict[str, str]) -> None:
    """Start a daemon, which goes to the background by itself."""
    if subprocess.run(words, env=environment, check=False).returncode:
        sys.exit(f"{words[0]} does not start")


def wait_until_idle(environment: dict[str, str], folder: Path) -> None:
    """Wait until the node takes jobs."""
    for _ in range(60):
        state = subprocess.run(["sinfo", "-h", "-o", "%t"], env=environment, capture_output=True, text=True, check=False)
        if state.stdout.strip() == "idle":
            return
        time.sleep(0.5)
    sys.exit(f"the node does not come up:\n{(folder / 'slurmd.log').read_text()[-2000:]}")


def end(pid_file: Path) -> None:
    """End the daemon whose id stands in a file, and wait for it."""
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, 15)
        for _ in range(100):
            os.kill(pid, 0)
            time.sleep(0.1)
    except (OSError, ValueError):
        return
