"""One room: put together from its parts, and its configuration while it runs."""
