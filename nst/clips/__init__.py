"""Moving pictures: a clip painted frame by frame, each as the one before it, moved."""
