"""Applications as others lay theirs out, written and locked on the spot."""

import os
import subprocess
import sys
from pathlib import Path

BINARIES = Path(sys.executable).parent
FLAT = {
    "pyproject.toml": """
[project]
name = "flat"
version = "0"
requires-python = ">=3.11"
dependencies = ["fastapi", "uvicorn"]
""",
    "main.py": """
from pathlib import Path
from fastapi import FastAPI

app = FastAPI()

@app.get("/healthz")
def healthz() -> list[str]:
    Path("data/seen").write_text("seen")
    try:
        Path("words/hello.txt").write_text("changed")
    except OSError as error:
        return [Path("words/hello.txt").read_text(), error.strerror, *map(str, homes())]

def homes() -> list[Path]:
    return sorted(Path("/home").iterdir())
""",
    "words/hello.txt": "read from where it stands",
}
PACKAGE = {
    "pyproject.toml": """
[project]
name = "shop"
version = "1.2.3"
requires-python = ">=3.11"
dependencies = ["fastapi", "uvicorn"]
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
""",
    "src/shop/__init__.py": "",
    "src/shop/web.py": """
from importlib.metadata import version
from fastapi import FastAPI

def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/healthz")
    def healthz() -> str:
        return version("shop")

    return app
""",
}
TEMPLATE = {
    "pyproject.toml": '[tool.uv.workspace]\nmembers = ["backend"]\n',
    "frontend/package.json": "{}\n",
    "backend/pyproject.toml": """
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11,<4.0"
dependencies = ["fastapi[standard]<1.0.0", "pydantic-settings"]
[dependency-groups]
dev = ["pytest"]
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[tool.hatch.build.targets.wheel]
packages = ["app"]
""",
    "backend/app/__init__.py": "",
    "backend/app/core/config.py": """
from pydantic_settings import BaseSettings, SettingsConfigDict

class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file="../.env", extra="ignore")
    PROJECT_NAME: str

settings = Settings()
""",
    "backend/app/main.py": """
from fastapi import APIRouter, FastAPI
from app.core.config import settings

router = APIRouter(prefix="/utils")

@router.get("/health-check/")
async def health_check() -> str:
    return settings.PROJECT_NAME

app = FastAPI()
app.include_router(router, prefix="/api/v1")
""",
}
WORKSPACE = {
    "pyproject.toml": """
[project]
name = "root"
version = "0"
requires-python = ">=3.11"
dependencies = ["fastapi", "uvicorn", "words"]
[tool.uv.sources]
words = { workspace = true }
[tool.uv.workspace]
members = ["packages/*"]
""",
    "app/__init__.py": """
from pathlib import Path
from fastapi import FastAPI
from words import HELLO

logs = Path(__file__).parent / "logs"
logs.mkdir(exist_ok=True)
(logs / "app.log").write_text(HELLO)
app = FastAPI()

@app.get("/healthz")
def healthz() -> str:
    return HELLO
""",
    "packages/words/pyproject.toml": """
[project]
name = "words"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = []
[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"
""",
    "packages/words/src/words/__init__.py": 'HELLO = "of the workspace"\n',
}
REQUIREMENTS = {
    "requirements.txt": "fastapi\nuvicorn[standard]\n",
    "server/api.py": """
from fastapi import FastAPI

app = FastAPI()

@app.get("/healthz")
def healthz() -> str:
    return "of requirements alone"
""",
}
POETRY = {
    "pyproject.toml": '[tool.poetry]\nname = "app"\n[tool.poetry.dependencies]\nfastapi = "*"\n',
    "poetry.lock": "# a lock\n",
    "app/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
}


def write(directory: Path, files: dict[str, str]) -> Path:
    """The files below the directory."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


def run_uv(directory: Path, command: str) -> None:
    """A command line as somebody types it there; uv asks the index that pip does."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    index = {"UV_DEFAULT_INDEX": asked.stdout.strip()} if asked.returncode == 0 else {}
    trust = {"UV_SYSTEM_CERTS": "1", "PATH": f"{BINARIES}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=directory,
        env={**os.environ, **index, **trust},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
