"""Removing takes what is ours, and nothing else."""

from tests.unit.guest.conftest import Box


def test_what_belongs_to_the_server_stays_and_is_listed(box: Box) -> None:
    box.deploy()
    box.at("/opt/chat/.env").write_text("A=1\n")
    box.at("/opt/chat/data").mkdir()
    box.at("/opt/chat/data/tokens.json").write_text("{}")
    answered = box.remove()
    assert answered["result"] == "removed"
    assert answered["stays"] == [
        str(box.at("/opt/chat/.env")),
        str(box.at("/opt/chat/data")),
        "user chat",
    ]
    assert sorted(path.name for path in box.at("/opt/chat").iterdir()) == [".env", "data"]
    assert box.at("/opt/chat/data/tokens.json").read_text() == "{}"


def test_everything_of_ours_is_gone(box: Box) -> None:
    document = box.document()
    box.deploy(document)
    box.remove()
    left = [
        "/opt/chat", "/etc/chat", "/var/lib/berth/services/chat", document["archive"]["path"],
        "/etc/systemd/system/chat.service", "/etc/systemd/system/chat.socket",
    ]  # fmt: skip
    assert [path for path in left if box.at(path).exists()] == []


def test_the_socket_stops_with_the_service_so_that_no_connection_starts_it_again(
    box: Box,
) -> None:
    box.deploy()
    box.forget()
    box.remove()
    assert box.calls("systemctl stop") == ["systemctl stop chat.socket chat.service"]


def test_a_unit_of_somebody_else_is_not_removed(box: Box) -> None:
    unit = box.at("/etc/systemd/system/chat.service")
    unit.write_text("[Service]\n")
    assert box.remove()["result"] == "absent"
    assert unit.exists()


def test_removing_twice_is_no_error(box: Box) -> None:
    box.deploy()
    box.remove()
    assert box.remove()["result"] == "absent"


def test_what_an_older_deploy_placed_elsewhere_is_found_too(box: Box) -> None:
    box.deploy(env_file={"path": "/etc/old/chat.env", "text": "A=1\n"})
    box.deploy()
    assert not box.at("/etc/old").exists()
