package main

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const packageName = "proxmoxve"

// The SDK calls an attribute "id" by this name where it is more than the
// computed identifier that every Pulumi resource has.
const renamedID = "resourceId"

// Here the SDK has the name that the bridge itself gives to such an attribute.
const namedByBridge = "proxmox_sdn_controller_evpn"

// nameAll gives every resource and data source of the upstream provider the
// token, and its attributes the names, by which the SDK asks for them.
func nameAll(info *tfbridge.ProviderInfo) {
	resources := info.P.ResourcesMap()
	info.MustComputeTokens(tfbridge.Strategy{
		Resource: func(name string, entry *tfbridge.ResourceInfo) error {
			module, member := tokenParts(name)
			entry.Tok = tfbridge.MakeResource(packageName, module, member)
			id, ok := resources.Get(name).Schema().GetOk("id")
			if ok && !isPlainID(id) && name != namedByBridge {
				entry.Fields = map[string]*tfbridge.SchemaInfo{
					"id": {Name: renamedID, Type: "string"},
				}
				entry.ComputeID = idFromAttribute
			}
			return nil
		},
		DataSource: func(name string, entry *tfbridge.DataSourceInfo) error {
			module, member := tokenParts(name)
			entry.Tok = tfbridge.MakeDataSource(packageName, module, "get"+member)
			return nil
		},
	})
	// The SDK leaves every "name" optional for this reason.
	info.SetAutonaming(255, "-")
}

// tokenParts turns proxmox_download_file into download and File, and
// proxmox_virtual_environment_container into index and ContainerLegacy.
func tokenParts(name string) (module, member string) {
	suffix := ""
	rest, old := strings.CutPrefix(name, "proxmox_virtual_environment_")
	if old {
		suffix = "Legacy"
	} else {
		rest = strings.TrimPrefix(name, "proxmox_")
	}
	parts := strings.Split(rest, "_")
	last := []rune(parts[len(parts)-1])
	last[0] = unicode.ToUpper(last[0])
	module = strings.Join(parts[:len(parts)-1], "/")
	if module == "" {
		module = "index"
	}
	return module, string(last) + suffix
}

func isPlainID(attribute shim.Schema) bool {
	return attribute.Type() == shim.TypeString && attribute.Computed() && !attribute.Optional()
}

func idFromAttribute(_ context.Context, state resource.PropertyMap) (resource.ID, error) {
	value, ok := state[renamedID]
	if !ok {
		return "", fmt.Errorf("the provider returned no %q", renamedID)
	}
	switch {
	case value.IsString():
		return resource.ID(value.StringValue()), nil
	case value.IsNumber():
		return resource.ID(fmt.Sprintf("%.0f", value.NumberValue())), nil
	}
	return "", fmt.Errorf("%q is neither a text nor a number", renamedID)
}
