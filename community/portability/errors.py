"""What an import says when it can't go on: one line with file, row and reason."""


class ImportProblem(Exception):
    """Bad input. `where` is a file, with the row when there is one."""

    def __init__(self, where: str, reason: object) -> None:
        super().__init__(f"{where}: {reason}")
