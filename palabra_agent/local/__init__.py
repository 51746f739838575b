"""What development, the demo and the tests need on one machine, and production never does."""
