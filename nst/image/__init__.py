"""Pictures: files, colours, masks."""
