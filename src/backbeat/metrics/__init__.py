"""Yardsticks. Each module states its conventions, validates, has pure functions, and ``evaluate`` gives all its figures."""
