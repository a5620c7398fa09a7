"""Tests of Backbeat; they mirror src/."""
