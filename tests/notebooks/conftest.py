"""Whole notebooks run here to look for errors: their kernels need not import everything anew."""

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def warm_kernels() -> None:
    if hasattr(os, "fork"):
        from tools.warm_kernels import use_warm_kernels

        use_warm_kernels()
