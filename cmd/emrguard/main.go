// Command emrguard enforces Amazon's security guides for EMR on EKS and for EKS.
package main

import (
	"os"

	"github.com/emrguard/emrguard/pkg/cli"
)

func main() { os.Exit(cli.ExecuteAs(os.Args[0], os.Args[1:], os.Stdout, os.Stderr)) }
