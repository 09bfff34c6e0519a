"""Runs: from the queue to the picture."""
