"""What maintainers run: the gate, refreshing outputs, fixtures, faults."""
