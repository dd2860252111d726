module berth.invalid/toolchain/proxmoxve

go 1.26

require (
	github.com/bpg/terraform-provider-proxmox v0.111.1
	github.com/pulumi/pulumi-terraform-bridge/v3 v3.135.0
	github.com/pulumi/pulumi/sdk/v3 v3.259.0
)

replace (
	github.com/hashicorp/terraform-plugin-sdk/v2 => github.com/pulumi/terraform-plugin-sdk/v2 v2.0.0-20260318212141-5525259d096b
	github.com/pulumi/pulumi-dotnet/pulumi-language-dotnet/v3 => ./absent/pulumi-language-dotnet
	github.com/pulumi/pulumi-yaml => ./absent/pulumi-yaml
)
