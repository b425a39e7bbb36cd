"""A Slurm cluster of one node on this machine, for tests: `start FOLDER`, `stop FOLDER`.

Real daemons of Debian's packages on loopback ports, all their files in FOLDER, no systemd. Needs
root. `start` prints the environment to set; with --accounting there are slurmdbd and MariaDB too,
and `sacct` works.
"""

import argparse
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

DEBIAN = "apt-get install --no-install-recommends"
PACKAGES = "slurmctld slurmd slurm-client munge slurm-wlm-basic-plugins"
ACCOUNTING_PACKAGES = "slurmdbd mariadb-server slurm-wlm-mysql-plugin"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
ACCOUNTING_PROGRAMS = ("slurmdbd", "mariadbd")
CPUS = 8  # told to Slurm, whatever the machine has
MEMORY = 64000  # MB
PATIENCE = 20.0  # seconds that a daemon may take to come up

CONFIGURATION = """\
ClusterName=porefail
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={slurmctld_port}
SlurmdPort={slurmd_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType={storage}
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
KillWait=3
OverTimeLimit=0
SchedulerParameters=sched_interval=2,batch_sched_delay=1
NodeName=localhost NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes=localhost Default=YES State=UP MaxTime=INFINITE
PartitionName=gpu Nodes=localhost State=UP MaxTime=INFINITE
"""

# A GPU in name: Slurm only counts it.
GPU = """\
AutoDetect=off
NodeName=localhost Name=gpu File=/dev/null
"""

DATABASE_CONFIGURATION = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={slurmdbd_port}
SlurmUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={mariadb_port}
StorageUser=root
StorageLoc=slurm
"""


def missing(accounting: bool = False) -> str | None:
    """What keeps a cluster from running here, in a line; None if nothing does."""
    if os.geteuid():
        return "a test cluster needs root"
    path = f"{os.environ['PATH']}:/usr/sbin"
    for programs, packages in (
        (PROGRAMS, PACKAGES),
        (ACCOUNTING_PROGRAMS if accounting else (), ACCOUNTING_PACKAGES),
    ):
        for program in programs:
            if not shutil.which(program, path=path):
                return f"no {program} (Debian: {DEBIAN} {packages})"
    return None


class Cluster:
    """A cluster whose files are in `folder`; commands need `environment`."""

    def __init__(self, folder: str | Path, accounting: bool = False):
        self.folder = Path(folder).resolve()
        self.accounting = accounting
        self.environment = {
            **os.environ,
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}:/usr/sbin",
            "SLURM_CONF": str(self.folder / "slurm.conf"),
        }

    def start(self) -> None:
        """Start all daemons and wait until the node is idle. Raises RuntimeError."""
        for name in ("state", "spool", "database"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o755)
        self._configure()
        self._shim()
        self._munge()
        if self.accounting:
            self._database()
        self.start_controller()
        self.start_node()
        self._wait(lambda: "idle" in self.run("sinfo", "-h", "-o", "%t").stdout, "an idle node")

    def stop(self) -> None:
        """Stop the jobs and all daemons that there are."""
        if (self.folder / "slurmctld.pid").exists():
            self.run("scancel", "--user", "root", "--quiet")
            time.sleep(0.5)
        for name in ("slurmd", "slurmctld", "slurmdbd", "mariadbd", "munged"):
            self.kill(name)

    def run(self, *command: str) -> subprocess.CompletedProcess:
        """A Slurm command."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )

    def start_controller(self) -> None:
        """slurmctld; goes on with the jobs that it knew."""
        self._daemon("slurmctld", "-i")
        self._wait(lambda: "is UP" in self.run("scontrol", "ping").stdout, "slurmctld")

    def start_node(self) -> None:
        """slurmd."""
        self._daemon("slurmd", "-N", "localhost")

    def kill(self, name: str, how: int = signal.SIGTERM) -> None:
        """End a daemon and wait for its end."""
        try:
            pid = int((self.folder / f"{name}.pid").read_text())
            os.kill(pid, how)
        except (OSError, ValueError):
            return
        self._wait(lambda: not _runs(pid), f"the end of {name}")
        (self.folder / f"{name}.pid").unlink(missing_ok=True)

    def _configure(self) -> None:
        names = ("slurmctld_port", "slurmd_port", "slurmdbd_port", "mariadb_port")
        values = dict(zip(names, _free_ports(len(names)), strict=True))
        storage = "accounting_storage/none"
        if self.accounting:
            storage = (
                "accounting_storage/slurmdbd\nAccountingStorageHost=127.0.0.1\n"
                f"AccountingStoragePort={values['slurmdbd_port']}\n"
                f"AccountingStoragePass={self.folder}/munge.socket"
            )
        values |= {"folder": self.folder, "cpus": CPUS, "memory": MEMORY, "storage": storage}
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(**values))
        (self.folder / "gres.conf").write_text(
            "AutoDetect=off\nNodeName=localhost Name=gpu File=/dev/null\n"
        )
        database = self.folder / "slurmdbd.conf"
        database.write_text(DATABASE_CONFIGURATION.format(**values))
        database.chmod(0o600)
        self.mariadb_port = values["mariadb_port"]

    def _shim(self) -> None:
        """An srun that finds the cluster: Snakemake's plugin takes SLURM_CONF away from it."""
        real = shutil.which("srun", path=f"{os.environ['PATH']}:/usr/sbin")
        shim = self.folder / "bin" / "srun"
        shim.parent.mkdir(exist_ok=True)
        conf = shlex.quote(str(self.folder / "slurm.conf"))
        shim.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec {real} "$@"\n')
        shim.chmod(0o755)

    def _munge(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        options = {"key-file": "key", "socket": "socket", "log-file": "log", "seed-file": "seed"}
        files = [f"--{option}={self.folder}/munge.{name}" for option, name in options.items()]
        self._call("munged", "--force", f"--pid-file={self.folder}/munged.pid", *files)

    def _database(self) -> None:
        data = self.folder / "database"
        self._call(
            "mariadb-install-db", f"--datadir={data}", "--user=root", "--skip-test-db",
            "--auth-root-authentication-method=normal",
        )  # fmt: skip
        subprocess.Popen(
            [
                "mariadbd", "--no-defaults", f"--datadir={data}", "--user=root",
                "--bind-address=127.0.0.1", f"--port={self.mariadb_port}",
                f"--socket={self.folder}/mariadb.socket", f"--pid-file={self.folder}/mariadbd.pid",
            ],
            env=self.environment, stdout=subprocess.DEVNULL,
            stderr=(self.folder / "mariadbd.log").open("w"), start_new_session=True,
        )  # fmt: skip
        self._wait((self.folder / "mariadb.socket").exists, "MariaDB")
        self._daemon("slurmdbd")
        self._wait(
            lambda: self.run("sacctmgr", "-n", "show", "cluster").returncode == 0, "slurmdbd"
        )
        self.run("sacctmgr", "-i", "add", "cluster", "porefail")
        self.run("sacctmgr", "-i", "add", "account", "mine", "Cluster=porefail")
        self.run("sacctmgr", "-i", "add", "user", "root", "Account=mine")

    def _daemon(self, program: str, *arguments: str) -> None:
        self._call(program, *arguments)
        self._wait((self.folder / f"{program}.pid").exists, program)

    def _call(self, *command: str) -> None:
        done = self.run(*command)
        if done.returncode:
            said = (done.stderr or done.stdout).strip() or "no output"
            raise RuntimeError(f"{command[0]}: {said}")

    def _wait(self, ready, what: str) -> None:
        until = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > until:
                raise RuntimeError(f"waited {PATIENCE:.0f} s for {what}; see {self.folder}/*.log")
            time.sleep(0.1)


def _runs(pid: int) -> bool:
    """Whether a process is there; one that has ended and that nobody has waited for is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    for action in ("start", "stop"):
        chosen = actions.add_parser(action)
        chosen.add_argument("folder", help="of all files of the cluster")
        chosen.add_argument("--accounting", action="store_true", help="slurmdbd and MariaDB too")
    actions.add_parser("missing", help="tell what is not there; exit status 1 if anything")
    actions.add_parser("packages", help="list Debian's packages")
    arguments = parser.parse_args()
    if arguments.action == "packages":
        print(PACKAGES, ACCOUNTING_PACKAGES)
        return 0
    if arguments.action == "missing":
        lacking = missing(accounting=True)
        print(lacking or "nothing is missing")
        return 1 if lacking else 0
    cluster = Cluster(arguments.folder, arguments.accounting)
    if arguments.action == "stop":
        cluster.stop()
        return 0
    lacking = missing(arguments.accounting)
    try:
        if lacking:
            raise RuntimeError(lacking)
        cluster.start()
    except RuntimeError as error:
        print(f"porefail: error: {error}", file=sys.stderr)
        cluster.stop()
        return 1
    for name in ("SLURM_CONF", "PATH"):
        print(f"export {name}={shlex.quote(cluster.environment[name])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
