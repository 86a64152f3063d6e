"""A pytest plugin that forks the kernels of the gate, 3 s of imports sooner each: `-p tools.gate.warm`.

What is compared was written by kernels that start as a learner's do (`make refresh`), so equal outputs show that a
forked kernel gives the same. `make test-all` compares without it.
"""

import os

if hasattr(os, "fork"):
    from tools.warm_kernels import use_warm_kernels

    use_warm_kernels()
