// Program pulumi-resource-proxmoxve serves the Proxmox provider to the Pulumi
// engine: the Terraform provider bpg/proxmox behind Pulumi's bridge, under the
// names that the Python SDK of the same version uses.
package main

import (
	"context"
	"encoding/json"
	"log"

	"github.com/bpg/terraform-provider-proxmox/fwprovider"
	"github.com/bpg/terraform-provider-proxmox/proxmoxtf/provider"
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/x/muxer"
)

// Version is set by the linker: the version of the Python SDK that is served.
var Version = "0.0.0"

// The bridge works the dispatch table out when it generates a schema; this
// program has none and asks for the table when it starts.
type dispatcher interface {
	ResolveDispatch(*tfbridge.ProviderInfo) (muxer.DispatchTable, error)
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("pulumi-resource-proxmoxve: ")
	go endWithParent()

	ctx := context.Background()
	shim := pf.MuxShimWithPF(ctx,
		sdkv2.NewProvider(provider.ProxmoxVirtualEnvironment()), fwprovider.New(Version)())
	info := tfbridge.ProviderInfo{
		P:       shim,
		Name:    "proxmox",
		Version: Version,
	}
	nameAll(&info)
	info.MetadataInfo = metadata(&info)
	pf.MainWithMuxer(ctx, packageName, info, []byte("{}"))
}

func metadata(info *tfbridge.ProviderInfo) *tfbridge.MetadataInfo {
	table, err := info.P.(dispatcher).ResolveDispatch(info)
	if err != nil {
		log.Fatal(err)
	}
	encoded, err := json.Marshal(map[string]muxer.DispatchTable{"mux": table})
	if err != nil {
		log.Fatal(err)
	}
	return tfbridge.NewProviderMetadata(encoded)
}
