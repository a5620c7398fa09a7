"""Tests of backbeat.render."""
