"""What lives beside a store as long as a server or a worker: `running` keeps each in a thread of its own."""
