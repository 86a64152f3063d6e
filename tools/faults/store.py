"""Faults of the store, as cases that run alone: `for case in FAULTS: print(case.fault, case.run(folder))`."""

from tools.faults import store_disk, store_kill, store_server
from tools.faults.store_case import Case

FAULTS: list[Case] = [*store_kill.FAULTS, *store_disk.FAULTS, *store_server.FAULTS]
