"""Counts as they are said."""


def counted(count: int, noun: str) -> str:
    """`count` with `noun`, in the plural but for one: "1 image", "0 images"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
