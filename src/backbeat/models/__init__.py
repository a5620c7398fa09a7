"""Models behind one protocol: floors that count or copy, and the drummer network. One model a file."""
