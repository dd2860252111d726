"""The double of pulumi-command 1.2.1: `remote.Command`, `remote.CopyToRemote`, `remote.CopyFile`.

It speaks real SSH and answers as the real plugin does. Where that one hangs or breaks, this one
fails at once and says why. `local.*` it does not have.
"""
