"""Groove to groove: other grids and feels, what hands and feet can play. Pure functions."""

from backbeat.transforms.timing import follow_timing, quantise

__all__ = ["follow_timing", "quantise"]
