package iam

import "strings"

// arnParts is how many parts an ARN has: arn, partition, service, region, account
// and resource.
const arnParts = 6

// IsEverything reports whether a pattern of resources means all of a service or
// of AWS: "*", or an ARN whose last part is nothing but wildcards, such as
// "arn:aws:s3:::*" and "arn:aws:s3:::*/*".
func IsEverything(resource string) bool {
	parts := strings.SplitN(resource, ":", arnParts)
	return IsWildcard(strings.NewReplacer("/", "", ":", "").Replace(parts[len(parts)-1]))
}

// IsEveryRole reports whether a pattern of resources means all roles of an account,
// whether the pattern spells the type out ("role/*") or not ("rol*").
func IsEveryRole(resource string) bool {
	if IsEverything(resource) {
		return true
	}
	service, rest := resourceOf(resource)
	return service != "" && Match(service, "iam") && (Match(rest, "role/"+anyName) || Match(rest, "role/"+anyName+"/"+anyName))
}

// IsEveryOfType reports whether a pattern of resources means all resources of a type
// on which an action works, such as all roles, all secrets or all tables, or all of
// more than that. In S3 the names of buckets take the place of types.
func IsEveryOfType(resource, action string) bool {
	if IsEverything(resource) {
		return true
	}
	service, rest := resourceOf(resource)
	acting, _, _ := strings.Cut(strings.ToLower(action), ":")
	if acting == "sts" { // it works on roles
		acting = "iam"
	}
	if service == "s3" || service == "" || !Match(acting, service) {
		return false
	}
	if IsEveryRole(resource) {
		return true
	}
	for _, t := range resourceTypes[service] {
		for _, separator := range []string{"/", ":"} {
			if Match(rest, t+separator+anyName) {
				return true
			}
		}
	}
	// A type of a service that is not known, spelled out: "stack/*". Without an end of
	// the type nothing tells it from the beginning of a name.
	i := strings.IndexAny(rest, "/:")
	return i > 0 && !HasWildcard(rest[:i]) && IsWildcard(separators.Replace(rest[i:]))
}

// anyName stands for a name that no pattern holds by chance, longer than one made of
// question marks would be.
var anyName = strings.Repeat("\x00", 80)

var separators = strings.NewReplacer("/", "", ":", "")

// resourceOf returns the service of a pattern of ARNs and its last part. IAM
// completes an ARN of fewer parts with wildcards. Both are empty for what is no ARN.
func resourceOf(pattern string) (service, rest string) {
	if !strings.HasPrefix(pattern, "arn:") {
		return "", ""
	}
	parts := strings.SplitN(pattern, ":", arnParts)
	for len(parts) < arnParts {
		parts = append(parts, "*")
	}
	return strings.ToLower(parts[2]), parts[arnParts-1]
}

// resourceTypes are types of resources by their services, for patterns that do not
// spell them out. Source: AWS Service Authorization Reference.
var resourceTypes = map[string][]string{
	"athena":         {"workgroup", "datacatalog"},
	"dynamodb":       {"table", "global-table"},
	"ec2":            {"instance", "volume", "network-interface", "security-group", "subnet"},
	"ecr":            {"repository"},
	"eks":            {"cluster", "access-entry", "podidentityassociation"},
	"emr-containers": {"/virtualclusters"},
	"events":         {"rule", "event-bus"},
	"firehose":       {"deliverystream"},
	"glue":           {"database", "table", "connection", "job", "crawler"},
	"iam":            {"role", "user", "policy", "group", "instance-profile"},
	"kafka":          {"cluster", "topic", "group"},
	"kinesis":        {"stream"},
	"kms":            {"key", "alias"},
	"lambda":         {"function"},
	"logs":           {"log-group"},
	"rds":            {"db", "cluster"},
	"secretsmanager": {"secret"},
	"ssm":            {"parameter", "document"},
	"states":         {"stateMachine", "execution"},
}

// WholeService returns the service of a pattern of actions that means all of its
// actions ("s3" for "s3:*"), "*" for all services. It is empty for any narrower
// pattern.
func WholeService(action string) string {
	if IsWildcard(action) {
		return "*"
	}
	service, name, _ := strings.Cut(strings.ToLower(action), ":")
	switch {
	case !IsWildcard(name):
		return ""
	case HasWildcard(service):
		return "*"
	}
	return service
}

// managedPrefix is how the ARNs of AWS's own managed policies begin, after the
// partition.
const managedPrefix = ":iam::aws:policy/"

// BroadPolicy returns the name of a policy of AWS that gives full access to a
// service or to all: AdministratorAccess and its variants, PowerUserAccess, the
// administrators among the job functions, and every …FullAccess. It is empty for
// all other ARNs.
func BroadPolicy(arn string) string {
	_, path, ok := strings.Cut(arn, managedPrefix)
	if !ok || !strings.HasPrefix(arn, "arn:") {
		return ""
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case strings.HasPrefix(name, "AdministratorAccess"), strings.HasSuffix(name, "FullAccess"):
		return name
	case name == "PowerUserAccess", name == "SystemAdministrator", name == "DatabaseAdministrator":
		return name
	}
	return ""
}
