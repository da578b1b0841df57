"""What a run computes on: one device, all devices of a machine, or those of several machines."""

from mta.devices.opening import open_devices
from mta.devices.single import Devices

__all__ = ["Devices", "open_devices"]
