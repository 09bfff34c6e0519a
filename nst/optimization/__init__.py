"""The method: what is minimised, by what steps, at what sizes."""
