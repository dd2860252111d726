"""Asks apt where this machine's packages come from."""

from lab.paths import cache_dir


def index_targets(line: str) -> list[str]:
    """The command that prints `line` for each index that apt has; see apt-get's `indextargets`.

    apt keeps its view of them in our cache: some machines, containers above all, are told to keep
    none, and to make it takes a second each time.
    """
    kept = cache_dir() / "apt"
    kept.mkdir(parents=True, exist_ok=True)
    view = ["-o", f"Dir::Cache::pkgcache={kept / 'pkgcache.bin'}", "-o", "Dir::Cache::srcpkgcache="]
    return ["apt-get", *view, "indextargets", "--format", line]
