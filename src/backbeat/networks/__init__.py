"""Networks, one a file with its frozen configuration beside it. Everything here needs torch."""
