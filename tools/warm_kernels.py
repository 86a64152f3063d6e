"""Kernels forked from a process that has imported what the notebooks use: each saves 3 s of work.

Outputs are written by kernels that start as a learner's does (`make refresh`). That a forked one gives the same is
shown where it runs under the gate, which compares them (`tools/gate/warm.py`).
"""

import os
import signal
import sys
import time
from importlib.metadata import EntryPoint
from multiprocessing.context import ForkServerProcess
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from tools.faults.children import forkserver

# First what makes it a kernel: tqdm, as it is imported, looks whether its bars are in a notebook.
IMPORTED = ("ipykernel.kernelapp", "ipykernel.debugger", "ipywidgets", "pyarrow.dataset", "tools.warm_up")


def become_kernel(arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """Runs in the forked process, to the end of the kernel."""
    os.setsid()  # a signal for this kernel is for no other
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = ["ipykernel_launcher", *arguments, f"--IPKernelApp.parent_handle={os.getppid()}"]
    import pandas as pd
    from ipykernel.kernelapp import launch_new_instance

    pd.set_option("display.max_columns", 20)  # as it says to itself in a kernel, not in a terminal
    launch_new_instance()


class Forked:
    """What LocalProvisioner asks of subprocess.Popen, of a forked process."""

    stdin = stdout = stderr = None

    def __init__(self, process: ForkServerProcess) -> None:
        self.process, self.pid = process, process.pid or 0

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> int | None:
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class WarmKernel(LocalProvisioner):
    """Starts a kernel by a fork, not as a new interpreter."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        # As Jupyter's own launcher does: the players ask which server a kernel belongs to.
        environment = {**options["env"], "JPY_PARENT_PID": str(os.getpid())}
        arguments = (cmd[cmd.index("-f") :], environment, str(options["cwd"]))
        process = forkserver().Process(target=become_kernel, args=arguments)
        process.start()
        self.process: Any = Forked(process)
        self.pid, self.pgid = process.pid, None
        return self.connection_info


def use_warm_kernels() -> None:
    """Every kernel that this process starts from now on is a warm one."""
    forkserver(*IMPORTED)
    factory = KernelProvisionerFactory.instance()
    name, value = "warm", f"{__name__}:{WarmKernel.__name__}"
    factory.provisioners[name] = EntryPoint(name, value, KernelProvisionerFactory.GROUP_NAME)
    factory.default_provisioner_name = name
