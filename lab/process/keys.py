"""The lab's throw-away login key."""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.paths import LabPaths


def ensure_login_key(paths: LabPaths) -> None:
    """Make the ed25519 pair that stacks and `lab ssh` log in with, unless it is there."""
    public = paths.ssh_key.with_suffix(".pub")
    if public.exists():
        return
    paths.ssh_key.parent.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    paths.ssh_key.touch(mode=0o600)
    paths.ssh_key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
    )
    line = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    public.write_text(f"{line.decode()} berth-lab-{paths.name}\n")
