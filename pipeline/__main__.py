"""The command line behind every make target."""

if __name__ == "__main__":
    from pipeline import stopping

    stopping.install()  # before anything that takes long to load
    stopping.use_utf8()

    from pipeline.command.app import main

    try:
        main()
    except SystemExit as end:
        stopping.leave(end.code)
    stopping.leave(0)
