"""What has to be on the machine: Debian's packages, our programs, the peers."""

import os
import shutil
import subprocess
from pathlib import Path

from .child import tell
from .machine import Unfit

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "target" / "peers"
OHA = "1.16.0"


def find(program):
    """Where a program is: among the peers built here, or where a shell or root would look."""
    path = os.pathsep.join([str(PEERS / "bin"), os.environ.get("PATH", ""), "/usr/sbin",
                            "/usr/local/sbin"])
    return shutil.which(program, path=path)


def need(**packages):
    """Sees to it that these programs are there: `need(nginx="nginx-light")`."""
    missing = [package for program, package in packages.items() if not find(program)]
    if missing:
        install(missing)


def install(packages):
    """Installs packages by the names apt has for them; their services are not started."""
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        raise Unfit(f"please install {names} (so Debian calls them), and run this again "
                    "(it can do so itself where there is apt-get)")
    as_root = []
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise Unfit(f"please install {names} as root, or install sudo, and run this again")
        as_root = ["sudo"]
    tell(f"== installing {names}")
    # A package asks policy-rc.d whether it may start its service; 101 is no.
    script = """
        set -e
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
            trap 'rm -f "$policy"' EXIT
            printf '#!/bin/sh\\nexit 101\\n' > "$policy"
            chmod 755 "$policy"
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends "$@" >&2
    """
    ended = subprocess.run([*as_root, "sh", "-c", script, "sh", *packages],
                           stdin=subprocess.DEVNULL, check=False)
    if ended.returncode != 0:
        raise Unfit(f"could not install {names}; the message above says why")


def cargo(*arguments):
    """Runs cargo at the root of the repository, and lets others go first."""
    if not shutil.which("cargo"):
        raise Unfit("cargo is missing; Rust is to be had from https://rustup.rs")
    tell(f"== cargo {' '.join(arguments)}")
    ended = subprocess.run(["nice", "cargo", *arguments], cwd=ROOT, stdin=subprocess.DEVNULL,
                           check=False)
    if ended.returncode != 0:
        raise Unfit("cargo failed; the message above says why")


def programs(options):
    """Builds the programs of the benches, unless told not to, and says where they are."""
    folder = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "fast"
    if not options.no_build:
        cargo("build", "--profile", "fast", "--locked", "--quiet", "-p", "benches", "--bins")
    elif not (folder / "load").exists():
        raise Unfit(f"{folder} has no programs; leave --no-build away and they are made")
    return folder


def install_peers():
    """Builds or installs the peers that can be, where they are not there yet.

    Without target/peers they are made anew.
    """
    need(hey="hey")
    if not find("oha"):
        cargo("install", "oha", "--version", OHA, "--locked", "--root", str(PEERS),
              "--target-dir", str(PEERS / "build"))
    if not find("goose-get"):
        manifest = ROOT / "benches" / "peers" / "goose" / "Cargo.toml"
        cargo("build", "--release", "--locked", "--quiet", "--manifest-path", str(manifest),
              "--target-dir", str(PEERS / "build"))
        (PEERS / "bin").mkdir(parents=True, exist_ok=True)
        shutil.copy2(PEERS / "build" / "release" / "goose-get", PEERS / "bin")
