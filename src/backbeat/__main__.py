"""``python -m backbeat``: the same as the command."""

from backbeat.cli import main

if __name__ == "__main__":
    main()
