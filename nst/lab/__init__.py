"""The laboratory: making networks, measuring pictures and speed; nothing of it is needed to paint."""
