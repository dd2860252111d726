"""The login key is exchanged without a container made anew, and without a moment locked out."""

import subprocess
from pathlib import Path

from tests.e2e.service.site import UP, Site, steps
from tests.labs import Result


def up_with(site: Site, key: Path) -> Result:
    """An `up` whose stack logs in with another key than that of the lab."""
    site.stack.write()
    return site.lab.pulumi(site.stack, *UP, inside={"BERTH_SSH_PRIVATE_KEY_FILE": str(key)})


def lets_in(site: Site, key: Path) -> bool:
    address = site.url.partition("://")[2].partition(":")[0]
    done = site.lab.inside(
        "ssh", "-F", "/dev/null", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
        "-o", f"UserKnownHostsFile={site.lab.paths.known_hosts}", f"root@{address}", "true",
        check=False,
    )  # fmt: skip
    return done.code == 0


def test_the_new_key_works_before_the_old_one_goes(site: Site, tmp_path: Path) -> None:
    new, old = tmp_path / "key", site.lab.paths.ssh_key
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(new)], check=True)
    site.run("echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzVCyOwMoqZmgRMOZYNrRyzbaHMkdkSilxBvmst3NMt"
             " by-hand' >> /root/.ssh/authorized_keys")  # fmt: skip
    born = site.lab.api("GET", "/nodes/pve/lxc/740/config")["digest"]

    with site.watched() as seen:
        said = up_with(site, new).text
    assert "one-container" not in said
    assert "one-host-key" not in said
    assert steps(said)["one-login"] == "updated"
    assert seen[0].restarted == []
    assert seen[0].written == ["/root/.ssh/authorized_keys"]
    assert seen[0].logins == 2
    assert lets_in(site, new)
    assert lets_in(site, old)

    said = up_with(site, new).text
    assert steps(said) == {"one-login": "updated"}
    assert lets_in(site, new)
    assert not lets_in(site, old)
    assert "19 unchanged" in up_with(site, new).text

    site.up()
    assert lets_in(site, old)
    site.up()
    assert not lets_in(site, new)
    assert "by-hand" in site.run("cat /root/.ssh/authorized_keys")
    assert site.lab.api("GET", "/nodes/pve/lxc/740/config")["digest"] == born
