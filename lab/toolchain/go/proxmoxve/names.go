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

// nameResources gives every resource and data source of the upstream provider
// the token under which the SDK asks for it.
func nameResources(info *tfbridge.ProviderInfo) {
	info.P.ResourcesMap().Range(func(name string, res shim.Resource) bool {
		module, member := tokenParts(name)
		entry := &tfbridge.ResourceInfo{Tok: tfbridge.MakeResource(packageName, module, member)}
		if attribute, ok := res.Schema().GetOk("id"); ok && !isPlainID(attribute) {
			entry.Fields = map[string]*tfbridge.SchemaInfo{"id": {Name: renamedID, Type: "string"}}
			entry.ComputeID = idFromAttribute
		}
		info.Resources[name] = entry
		return true
	})
	info.P.DataSourcesMap().Range(func(name string, _ shim.Resource) bool {
		module, member := tokenParts(name)
		info.DataSources[name] = &tfbridge.DataSourceInfo{
			Tok: tfbridge.MakeDataSource(packageName, module, "get"+member),
		}
		return true
	})
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
