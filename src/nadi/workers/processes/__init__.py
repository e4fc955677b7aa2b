"""The launcher `process`: each run in a process group of its own on this machine.

`launcher` is what the worker sees. For each version of a deployment it keeps a `warm` process that has imported the
flow: `zygote` is its program. It forks for each run where `forking` finds nothing that speaks against it, and is a
spare otherwise, used for one run and replaced. `run` is what the process of a run does.
"""
