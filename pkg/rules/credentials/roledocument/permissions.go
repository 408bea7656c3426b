// Package roledocument judges the IAM documents of an execution role: what its policies
// allow, and whom its trust policy lets assume it.
package roledocument

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/aws/iam"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

// JudgePermissions finds what a policy of permissions gives too widely. what names it
// in messages.
func JudgePermissions(text, path, what string, rep *rule.Report) {
	document, err := iam.Parse(text)
	if err != nil {
		rep.Add(Unreadable(path, what, err))
		return
	}
	for i := range document.Statements {
		s := &document.Statements[i]
		if !s.Allow {
			continue
		}
		judgeStatement(s, statementOf(s, what), path, rep)
	}
}

// statementOf names a statement of a document in messages.
func statementOf(s *iam.Statement, document string) string {
	if s.Sid == "" {
		return document
	}
	return fmt.Sprintf("statement %q of %s", s.Sid, document)
}

// judgeStatement judges a statement of the effect Allow. what names it.
func judgeStatement(s *iam.Statement, what, path string, rep *rule.Report) {
	add := func(reason *rule.Reason, args ...string) {
		rep.Add(rule.Finding{Reason: reason, Path: path, Args: append(rule.Args(what), args...)})
	}
	resources := resourcesOf(s)
	judgePassRole := true // unless a finding includes it already
	for _, service := range wholeServices(s) {
		judgePassRole = judgePassRole && service != "*" && service != "iam"
		if service == "*" {
			service = "AWS"
		}
		add(&wholeService, service, resources)
	}
	if len(s.NotActions) > 0 {
		judgePassRole = false
		add(&notAction, wording.List(quoted(s.NotActions)), resources)
	}
	if !confinesResources(s) {
		var touching []string
		for _, a := range s.Actions {
			if !everyResource(s, func(resource string) bool { return iam.IsEveryOfType(resource, a) }) {
				continue
			}
			told := iam.WholeService(a) != "" || judgePassRole && isPassRole(a) // above or below
			if !told && !isHarmless(a) {
				touching = append(touching, a)
			}
		}
		if len(touching) > 0 {
			add(&allResources, wording.List(quoted(touching)), resources)
		}
	}
	if judgePassRole && s.Covers("iam:PassRole") && everyResource(s, iam.IsEveryRole) && !confines(s, "iam:passedtoservice") {
		add(&passRole)
	}
}

// wholeServices are the services all of whose actions a statement names.
func wholeServices(s *iam.Statement) []string {
	var list []string
	seen := map[string]bool{}
	for _, a := range s.Actions {
		if service := iam.WholeService(a); service != "" && !seen[service] {
			seen[service] = true
			list = append(list, service)
		}
	}
	return list
}

func isPassRole(action string) bool {
	return iam.Match(strings.ToLower(action), "iam:passrole")
}

// everyResource reports whether a statement is about all resources.
func everyResource(s *iam.Statement, isEvery func(string) bool) bool {
	return len(s.NotResources) > 0 || slices.ContainsFunc(s.Resources, isEvery)
}

func resourcesOf(s *iam.Statement) string {
	if len(s.NotResources) > 0 {
		return "all resources but " + wording.List(quoted(s.NotResources))
	}
	return wording.List(quoted(s.Resources))
}

func quoted(list []string) []string {
	texts := make([]string, 0, len(list))
	for _, s := range list {
		texts = append(texts, fmt.Sprintf("%q", s))
	}
	return texts
}

// confines reports whether a condition on the key holds for some values only. The
// key is given in lower case.
func confines(s *iam.Statement, key string) bool {
	return slices.ContainsFunc(s.Conditions, func(c iam.Condition) bool {
		return strings.ToLower(c.Key) == key && isNarrow(&c)
	})
}

func isNarrow(c *iam.Condition) bool {
	return c.Confines() && !slices.ContainsFunc(c.Patterns(), iam.IsWildcard)
}

// confinesResources reports whether a condition picks resources: by their tags, or
// for keys of KMS by the service that uses them, their aliases or the context of
// encryption.
func confinesResources(s *iam.Statement) bool {
	return slices.ContainsFunc(s.Conditions, func(c iam.Condition) bool {
		key := strings.ToLower(c.Key)
		picks := strings.Contains(key, ":resourcetag/") || strings.HasPrefix(key, "kms:encryptioncontext:") ||
			key == "kms:viaservice" || key == "kms:resourcealiases" || key == "kms:requestalias"
		return picks && isNarrow(&c)
	})
}

// harmless are actions, in lower case, that a job may do on all resources: those
// that know no resources, and those of AWS's own example of an execution role,
// which write logs. Source: AWS Service Authorization Reference; EMR on EKS
// Development Guide, "Create a job execution role".
var harmless = []string{
	"cloudwatch:getmetricdata",
	"cloudwatch:getmetricstatistics",
	"cloudwatch:putmetricdata",
	"ecr:getauthorizationtoken",
	"ecr-public:getauthorizationtoken",
	"kms:generaterandom",
	"lakeformation:getdataaccess",
	"logs:createloggroup",
	"logs:createlogstream",
	"logs:putlogevents",
	"s3:getbucketlocation",
	"secretsmanager:getrandompassword",
	"sts:getcalleridentity",
	"sts:getservicebearertoken",
	"tag:getresources",
	"xray:putsegments",
	"xray:puttelemetryrecords",
	"xray:puttracesegments",
}

// harmlessHeads are how the names of further such actions begin: they tell what
// there is, not what is in it. Of Glue all reading is of that sort.
var (
	harmlessHeads     = []string{"list", "describe", "head"}
	harmlessGlueHeads = []string{"get", "batchget", "search"}
)

func isHarmless(action string) bool {
	action = strings.ToLower(action)
	if slices.Contains(harmless, action) {
		return true
	}
	service, name, _ := strings.Cut(action, ":")
	begins := func(head string) bool { return strings.HasPrefix(name, head) }
	return slices.ContainsFunc(harmlessHeads, begins) || service == "glue" && slices.ContainsFunc(harmlessGlueHeads, begins)
}
