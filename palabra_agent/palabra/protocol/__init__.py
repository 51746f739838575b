"""What is said to Palabra and by it, and what it means for a task. Pure."""
