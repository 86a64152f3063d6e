"""A folder from which thirty learners install without a network: `make handout`."""
