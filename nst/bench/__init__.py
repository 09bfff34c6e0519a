"""How fast it is, measured as ratios between things of the same run: `python -m nst.bench --help`."""
