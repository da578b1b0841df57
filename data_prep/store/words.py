"""Counts as they are said."""


def counted(count: int, noun: str) -> str:
    """`count` with `noun`, in the plural but for one: "1 image", "0 images", "2 patches"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}{'es' if noun.endswith('ch') else 's'}"
