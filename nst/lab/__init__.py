"""The laboratory: making networks, measuring pictures and speed; nothing of it is needed to paint."""

from nst.host.threads import prepare

prepare()  # before torch
