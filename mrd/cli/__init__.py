"""One thin file per command: parse, read, call one function, write."""
