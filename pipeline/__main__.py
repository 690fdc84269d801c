"""The command line behind every make target."""

if __name__ == "__main__":  # a second interpreter loads this module too, under another name
    from pipeline import stopping

    stopping.install()  # before anything that takes long to load

    from pipeline.command.app import main

    main()
