"""Proxmox's privileges and its built-in roles. Facts only."""

PRIVILEGES = frozenset(
    """
    Datastore.Allocate Datastore.AllocateSpace Datastore.AllocateTemplate Datastore.Audit
    Group.Allocate Mapping.Audit Mapping.Modify Mapping.Use Permissions.Modify Pool.Allocate
    Pool.Audit Realm.Allocate Realm.AllocateUser SDN.Allocate SDN.Audit SDN.Use
    Sys.AccessNetwork Sys.Audit Sys.Console Sys.Incoming Sys.Modify Sys.PowerMgmt Sys.Syslog
    User.Modify VM.Allocate VM.Audit VM.Backup VM.Clone VM.Config.CDROM VM.Config.CPU
    VM.Config.Cloudinit VM.Config.Disk VM.Config.HWType VM.Config.Memory VM.Config.Network
    VM.Config.Options VM.Console VM.GuestAgent.Audit VM.GuestAgent.FileRead
    VM.GuestAgent.FileSystemMgmt VM.GuestAgent.FileWrite VM.GuestAgent.Unrestricted VM.Migrate
    VM.PowerMgmt VM.Replicate VM.Snapshot VM.Snapshot.Rollback
    """.split()  # noqa: SIM905 - a list of words
)

# What PVEAdmin lacks: all that could change the node's system or grant rights to others.
_ADMINISTRATOR_ONLY = frozenset(
    """
    Mapping.Modify Permissions.Modify Realm.Allocate Sys.AccessNetwork Sys.Incoming Sys.Modify
    Sys.PowerMgmt
    """.split()  # noqa: SIM905 - a list of words
)
_VM_USER = frozenset(
    """
    VM.Audit VM.Backup VM.Config.CDROM VM.Config.Cloudinit VM.Console VM.GuestAgent.Audit
    VM.PowerMgmt
    """.split()  # noqa: SIM905 - a list of words
)

BUILT_IN_ROLES: dict[str, frozenset[str]] = {
    "Administrator": PRIVILEGES,
    "NoAccess": frozenset(),
    "PVEAdmin": PRIVILEGES - _ADMINISTRATOR_ONLY,
    "PVEAuditor": frozenset(name for name in PRIVILEGES if name.endswith(".Audit")),
    "PVEDatastoreAdmin": frozenset(name for name in PRIVILEGES if name.startswith("Datastore.")),
    "PVEDatastoreUser": frozenset(("Datastore.AllocateSpace", "Datastore.Audit")),
    "PVEMappingAdmin": frozenset(name for name in PRIVILEGES if name.startswith("Mapping.")),
    "PVEMappingAuditor": frozenset(("Mapping.Audit",)),
    "PVEMappingUser": frozenset(("Mapping.Audit", "Mapping.Use")),
    "PVEPoolAdmin": frozenset(("Pool.Allocate", "Pool.Audit")),
    "PVEPoolUser": frozenset(("Pool.Audit",)),
    "PVESDNAdmin": frozenset(("SDN.Allocate", "SDN.Audit", "SDN.Use")),
    "PVESDNUser": frozenset(("SDN.Audit", "SDN.Use")),
    "PVESysAdmin": frozenset(("Sys.Audit", "Sys.Console", "Sys.Syslog")),
    "PVETemplateUser": frozenset(("VM.Audit", "VM.Clone")),
    "PVEUserAdmin": frozenset(("Group.Allocate", "Realm.AllocateUser", "User.Modify")),
    "PVEVMAdmin": frozenset(name for name in PRIVILEGES if name.startswith("VM.")),
    "PVEVMUser": _VM_USER,
}
