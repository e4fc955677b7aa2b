"""Programs that do the work, one for each peer; each is run by the Python that has the peer.

    python with_PEER.py hello | calls N | submits N | map N | layers WIDTH LAYERS | slow N | go_on

What is timed is timed inside of the flow and printed as one JSON line. `slow` writes the number
of each task that runs to the file $LEDGER, and kills its own process half-way when $KILL_AT is set.
"""
