"""Workers: they take runs of deployments, start a process for each, and answer for it to the store.

`contract` is the file to read first: what a launcher is. `worker` brings a store and a launcher together.
"""
