"""The demo, and the servers and simulated people that development and tests use on one machine."""
