"""The command line behind every make target."""

from pipeline.command.app import main

if __name__ == "__main__":
    main()
