"""What stands in for Twelve Labs: offline, and a service that misbehaves on demand."""
