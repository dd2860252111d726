"""The only door for configuration: `load()` gives frozen settings, or every error at once."""

from infra.settings.load import load
from infra.settings.problems import SettingsError
from infra.settings.result import ProxmoxAccess, ServiceSettings, Settings, SshKeys

__all__ = ["ProxmoxAccess", "ServiceSettings", "Settings", "SettingsError", "SshKeys", "load"]
