"""Proposes a feed for files that no feed describes yet, from the beginnings of some of them."""
