"""A real Milvus server on this machine, reachable on loopback only: see server.py."""
