"""The runner of the lessons: it walks through each lesson as its reader would, and checks it."""
