"""Rewriting code for Prefect 1, 2 and 3 so that it runs on Nadi.

`names.py` knows where a name of Prefect's is found here. `reading.py` reads one file on its syntax tree and plans what
becomes of it (names in `naming.py`, what differs by more in `idioms.py`), `rewriting.py` carries the plan out; these
need libcst. `files.py` does so for files and folders, and writes them whole or not at all.
"""
