"""Tasks: work that goes on after its call was answered, and the calls that show it."""
