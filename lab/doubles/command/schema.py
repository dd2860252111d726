"""What the remote resources of pulumi-command 1.2.1 accept. Pure data."""

from lab.doubles.shapes import Field, Scalar, Shape

_ENDPOINT = {
    "user": Field(Scalar.STRING, default="root"),
    "password": Field(Scalar.STRING, secret=True),
    "host": Field(Scalar.STRING, required=True),
    "port": Field(Scalar.NUMBER, default=22.0),
    "privateKey": Field(Scalar.STRING, secret=True),
    "privateKeyPassword": Field(Scalar.STRING, secret=True),
    "agentSocketPath": Field(Scalar.STRING),
    "dialErrorLimit": Field(Scalar.INTEGER, default=10.0),
    "perDialTimeout": Field(Scalar.INTEGER, default=15.0),
    "hostKey": Field(Scalar.STRING),
}
_PROXY = Shape("remote.ProxyConnection", _ENDPOINT)
_CONNECTION = Shape("remote.Connection", {**_ENDPOINT, "proxy": Field(_PROXY)})
_TARGET = Field(_CONNECTION, required=True, secret=True)

COMMAND_INPUTS = Shape(
    "remote.CommandInputs",
    {
        "connection": _TARGET,
        "environment": Field(Scalar.STRINGS),
        "triggers": Field(Scalar.LIST, replaces=True),
        "create": Field(Scalar.STRING),
        "delete": Field(Scalar.STRING),
        "update": Field(Scalar.STRING),
        "stdin": Field(Scalar.STRING),
        "addPreviousOutputInEnv": Field(Scalar.BOOL),
        "logging": Field(Scalar.LOGGING),
    },
)
COMMAND_OUTPUTS = Shape(
    "remote.CommandOutputs",
    {
        **COMMAND_INPUTS.fields,
        "stdout": Field(Scalar.STRING, required=True),
        "stderr": Field(Scalar.STRING, required=True),
    },
)
COPY_TO_REMOTE_INPUTS = Shape(
    "remote.CopyToRemoteInputs",
    {
        "connection": _TARGET,
        "triggers": Field(Scalar.LIST, replaces=True),
        "source": Field(Scalar.SOURCE, required=True),
        "remotePath": Field(Scalar.STRING, required=True),
    },
)
COPY_TO_REMOTE_OUTPUTS = Shape("remote.CopyToRemoteOutputs", COPY_TO_REMOTE_INPUTS.fields)
COPY_FILE_INPUTS = Shape(
    "remote.CopyFileInputs",
    {
        "connection": _TARGET,
        "triggers": Field(Scalar.LIST),
        "localPath": Field(Scalar.STRING, required=True),
        "remotePath": Field(Scalar.STRING, required=True),
    },
)
