"""A session: its client, its task, the commands that it obeys and the messages that it sends."""
