"""The same small work done by Nadi, Prefect and DBOS, in turn, on this machine."""
