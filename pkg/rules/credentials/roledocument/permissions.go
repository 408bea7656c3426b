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
		name := what
		if s.Sid != "" {
			name = fmt.Sprintf("%s, statement %q,", what, s.Sid)
		}
		for _, f := range permissionFindings(s) {
			f.Path, f.Message = path, name+" "+f.Message
			rep.Add(f)
		}
	}
}

// permissionFindings are those in one statement of the effect Allow.
func permissionFindings(s *iam.Statement) []rule.Finding {
	var list []rule.Finding
	resources := resourcesOf(s)
	passRole := true // unless a finding includes it already
	for _, service := range wholeServices(s) {
		passRole = passRole && service != "*" && service != "iam"
		message := fmt.Sprintf("allows all actions of %s on %s", service, resources)
		if service == "*" {
			message = "allows all actions of AWS on " + resources
		}
		list = append(list, rule.Finding{Message: message})
	}
	if len(s.NotActions) > 0 {
		passRole = false
		list = append(list, rule.Finding{Message: fmt.Sprintf("allows all actions but %s on %s, by NotAction", wording.List(quoted(s.NotActions)), resources)})
	}
	if !confinesResources(s) {
		var touching []string
		for _, a := range s.Actions {
			if !everyResource(s, func(resource string) bool { return iam.IsEveryOfType(resource, a) }) {
				continue
			}
			told := iam.WholeService(a) != "" || passRole && isPassRole(a) // above or below
			if !told && !isHarmless(a) {
				touching = append(touching, a)
			}
		}
		if len(touching) > 0 {
			list = append(list, rule.Finding{
				Message:     fmt.Sprintf("allows %s on %s", wording.List(quoted(touching)), resources),
				Remediation: "name the resources that the jobs need, such as their buckets and prefixes",
			})
		}
	}
	if passRole && s.Covers("iam:PassRole") && everyResource(s, iam.IsEveryRole) && !confines(s, "iam:passedtoservice") {
		list = append(list, rule.Finding{
			Message:     "allows iam:PassRole on all roles: jobs can hand any role to any service, and work as it",
			Remediation: "name the roles, and the service by a condition StringEquals on iam:PassedToService",
		})
	}
	return list
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

// Unreadable is the finding about a document that IAM would not take either.
func Unreadable(path, what string, err error) rule.Finding {
	return rule.Finding{Path: path, Message: fmt.Sprintf("%s cannot be read: %v", what, err), Remediation: "write a policy document as the grammar of IAM has it; IAM refuses all others"}
}
