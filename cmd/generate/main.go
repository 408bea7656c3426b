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
	switch {
	case len(args) == 2 && args[0] == "rule-pages":
		return rulePages(args[1])
	case len(args) == 3 && args[0] == "rule-index":
		return errors.Join(ruleIndex(args[1]), ruleCount(args[2]))
	case len(args) == 2 && args[0] == "policies":
		return policy.Write(args[1])
	}
	return errors.New("usage: generate rule-pages DIRECTORY | rule-index FILE README | policies DIRECTORY")
}
