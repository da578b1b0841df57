"""The colors of the figures, which lie on white in both schemes."""

INK, GRAY, PALE = "#222222", "#8a8f98", "#e4e6ea"
CLASS_COLORS = {"normal": "#2868b0", "tumor": "#c23b2e", "unlabelled": "#8a8f98"}
