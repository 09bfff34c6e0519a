"""Measuring speed, as ratios of times from the same run."""
