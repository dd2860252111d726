"""What all tests share: where the checkout is, and where the specification is."""

from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
SHARED = REPO.parent / "shared"
