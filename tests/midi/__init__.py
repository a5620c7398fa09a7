"""Tests of backbeat.midi."""
