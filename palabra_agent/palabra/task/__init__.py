"""The settings of a task, and the `set_task` that they make. Pure."""
