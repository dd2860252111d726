"""`python -m app`: the service by itself, on the PORT of its settings."""

import argparse
from pathlib import Path

import uvicorn

from app.journal import set_up
from app.settings import settings_from_environment


def at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--reload", action="store_true", help="start anew when the code changes")
    parser.add_argument("--workers", type=at_least_one, default=1, help="processes (%(default)s)")
    arguments = parser.parse_args()
    settings = settings_from_environment()
    set_up(settings.log_level)
    uvicorn.run(
        "app:app",
        host=arguments.host,
        port=settings.port,
        workers=arguments.workers,
        log_config=None,
        reload=arguments.reload,
        reload_dirs=str(Path(__file__).parent) if arguments.reload else None,
    )


if __name__ == "__main__":
    main()
