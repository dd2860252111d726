// Package codegen holds the one name that the bridge's schema generator is
// compiled against. The provider never generates a schema, so it never runs.
package codegen

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
)

// GenerateProgram always fails: there is no YAML generator in this program.
func GenerateProgram(*pcl.Program) (map[string][]byte, hcl.Diagnostics, error) {
	return nil, nil, errors.New("this provider was built without the YAML generator")
}
