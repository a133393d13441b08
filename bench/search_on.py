"""`bench.search` on the engine that the environment names; prints JSON."""

import json

from .search import measure
from .throwaway import load, say
from .titles import titles

if __name__ == "__main__":
    load(titles())
    say("Asking …")
    print(json.dumps(measure()))
