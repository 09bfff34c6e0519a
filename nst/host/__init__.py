"""The machine: its device, memory and threads."""
