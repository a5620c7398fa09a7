"""Training: batches, loops, checkpoints. Needs the extra ``train``."""
