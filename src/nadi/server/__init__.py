"""The server: HTTP API, live stream and web UI over one store. Routes decide nothing."""
