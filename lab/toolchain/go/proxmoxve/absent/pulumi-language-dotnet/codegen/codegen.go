// Package codegen holds the names that the bridge's schema generator is
// compiled against. The provider never generates a schema, so none of it runs.
package codegen

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
)

// GenerateProgram always fails: there is no C# generator in this program.
func GenerateProgram(*pcl.Program) (map[string][]byte, hcl.Diagnostics, error) {
	return nil, nil, errors.New("this provider was built without the C# generator")
}

// CSharpPackageInfo has the fields that the schema generator sets on a package.
type CSharpPackageInfo struct {
	Compatibility                string
	PackageReferences            map[string]string
	Namespaces                   map[string]string
	RootNamespace                string
	DictionaryConstructors       bool
	ProjectReferences            []string
	RespectSchemaVersion         bool
	LiftSingleValueMethodReturns bool
}

// CSharpPropertyInfo has the field that the schema generator sets on a property.
type CSharpPropertyInfo struct{ Name string }

// CSharpResourceInfo has the field that the schema generator sets on a resource.
type CSharpResourceInfo struct{ Name string }
