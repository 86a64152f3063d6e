"""Files in: what a video holds, on one clock."""
