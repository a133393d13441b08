"""Figures, not tests: how fast pages are and how well "already asked?" finds (docs/running.md, Figures).

`make bench` and `make bench-search`. Both load a throwaway community that is gone afterwards; DATA and the database
named by DATABASE_URL are left alone.
"""
