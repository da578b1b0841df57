"""Attribution maps: Grad-CAM, integrated gradients and SmoothGrad, as functions of gradients (`docs/maps.md`)."""

from mta.explain.attribution.gradcam import grad_cam
from mta.explain.attribution.heads import Heads, readable
from mta.explain.attribution.integrated_gradients import integrated_gradients
from mta.explain.attribution.smoothgrad import smoothgrad

__all__ = ["Heads", "grad_cam", "integrated_gradients", "readable", "smoothgrad"]
