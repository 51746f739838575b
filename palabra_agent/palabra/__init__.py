"""The Palabra side: its task, its messages, its REST API and its transports."""
