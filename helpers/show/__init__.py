"""What is seen: figures, pictures, players, controls."""
