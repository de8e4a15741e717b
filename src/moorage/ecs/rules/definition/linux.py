"""linuxParameters: capabilities, devices, tmpfs, shared memory, swap."""

from moorage.shapes.ecs.container_definition import Device, LinuxParameters, Tmpfs

SWAPPINESS_MAX = 100
# KernelCapabilities in the model; the newer ones of capabilities(7) are sound on newer kernels.
_NAMES = """
ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN
DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE
MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON
SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT
SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM
"""
CAPABILITIES = frozenset(_NAMES.split())


def wrong_linux_parameters(linux: LinuxParameters | None) -> str:
    """The member that is wrong, or ""."""
    if linux is None:
        return ""
    added = (linux.capabilities.add or []) if linux.capabilities else []
    dropped = (linux.capabilities.drop or []) if linux.capabilities else []
    found = {
        "linuxParameters.capabilities": not CAPABILITIES.issuperset([*added, *dropped]),
        "linuxParameters.devices": not all(map(_sound_device, linux.devices or ())),
        "linuxParameters.tmpfs": not all(map(_sound_tmpfs, linux.tmpfs or ())),
        "linuxParameters.sharedMemorySize": (linux.shared_memory_size or 0) < 0,
        "linuxParameters.maxSwap": (linux.max_swap or 0) < 0,
        "linuxParameters.swappiness": not 0 <= (linux.swappiness or 0) <= SWAPPINESS_MAX,
    }
    return next((member for member, wrong in found.items() if wrong), "")


def _sound_device(device: Device) -> bool:
    inside = device.container_path
    return (device.host_path or "").startswith("/") and (not inside or inside.startswith("/"))


def _sound_tmpfs(tmpfs: Tmpfs) -> bool:
    return (tmpfs.container_path or "").startswith("/") and (tmpfs.size or 0) > 0
