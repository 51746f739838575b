"""Scripts for contributors: set-up, and the pages that are written from the code."""
