"""A Slurm of one node in a folder of its own: munge, controller and node daemon, nothing of it in the system's folders."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

MOST_CORES = 4
"""What a rule asks for at most; a smaller machine is taken to have as many, else such a job would never start."""
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
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} CPUs={cpus} RealMemory={memory} Gres=gpu:1 State=UNKNOWN
PartitionName=work Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
"""Memory is kept to by ending a job that uses more; no accounting, so jobs are asked for through squeue. The one GPU is
/dev/null, which shows that the device's jobs ask for one and wait for each other."""


def missing_daemons() -> list[str]:
    """Programs of Slurm that are not installed (Debian: apt-get install slurm-wlm munge)."""
    return [d for d in DAEMONS if shutil.which(d, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]


@contextmanager
def one_node(folder: Path) -> Iterator[dict[str, str]]:
    """Start the daemons; yields the environment in which sbatch and squeue find them, and ends them by their ids."""
    path = f"{folder}/bin:{os.environ['PATH']}:/usr/sbin:/sbin"
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}
    write_files(folder)
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


def write_files(folder: Path) -> None:
    """The configuration, munge's key, and the folders that the daemons want.

    Jobs are started without any variable of Slurm's, so srun is told by a script of its name where the configuration lies.
    """
    for name in ("bin", "munge", "state", "spool"):
        (folder / name).mkdir(parents=True)
    (folder / "munge").chmod(0o711)
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 9 // 10 // 2**20
    port, next_port = free_ports(2)
    told = {"host": socket.gethostname(), "user": user, "folder": folder, "port": port, "next_port": next_port}
    (folder / "slurm.conf").write_text(CONF.format(cpus=max(os.cpu_count() or 1, MOST_CORES), memory=memory, **told))
    srun = folder / "bin" / "srun"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\n")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("", 0))
        return [one.getsockname()[1] for one in sockets]


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
    told = subprocess.run(["scontrol", "show", "node"], env=environment, capture_output=True, text=True, check=False).stdout
    sys.exit(f"the node does not come up:\n{told}\n{(folder / 'slurmctld.log').read_text()[-2000:]}")


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
