// Command generate writes what `make generate` makes from the rules and their fixtures.
// It is no part of what is installed.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/emrguard/emrguard/pkg/policy"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 2 {
		switch args[0] {
		case "rule-pages":
			return rulePages(args[1])
		case "policies":
			return policy.Write(args[1])
		}
	}
	return errors.New("usage: generate rule-pages|policies DIRECTORY")
}
