//go:build tools

// Package tools pins what the builder compiles from this module: the Pulumi
// command line, and the SDK module whose python/cmd holds the program that
// runs a Pulumi program.
package tools

import (
	_ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
	_ "github.com/pulumi/pulumi/sdk/v3/go/common/version"
)
