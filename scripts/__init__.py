"""What contributors run: set-up, and the pages that are written from the code."""
