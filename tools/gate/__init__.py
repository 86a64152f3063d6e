"""The gate: how the notebooks' outputs are compared, and what a committed notebook must look like."""
