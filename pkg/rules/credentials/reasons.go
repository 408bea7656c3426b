package credentials

import (
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/envfrom"
)

var (
	keyPrefix      = rule.Reason{Name: "variables-by-prefix", Severity: rule.High, Message: envfrom.Message, Remedy: envfrom.Remedy}
	overridePrefix = rule.Reason{Name: "variables-by-prefix", Severity: rule.High, Message: envfrom.Message, Remedy: envfrom.Remedy}
)
