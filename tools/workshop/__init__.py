"""What a teacher gets from the lessons: minutes, the tables of the guide, and the way from lesson to lesson."""
