"""What a process that serves keeps in memory."""

import gc


def settle() -> int:
    """Take what is loaded by now out of the garbage collector's rounds. Returns how many objects that are.

    Modules, models and addresses live as long as the process. A full round over them took 150 ms of a request, some
    every thirtieth one of the desk (docs/decisions/0248).
    """
    gc.collect()
    gc.freeze()
    return gc.get_freeze_count()
