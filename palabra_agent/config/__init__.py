"""Configuration: of the worker (`settings`) and of a room (`room`), and the sentences for mistakes.

`wording`, `fields`, `problems` and `documents` are the parts that both are built from; `plugins` is
the part of a room config that names plugins.
"""
