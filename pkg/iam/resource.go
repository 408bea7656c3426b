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

// IsEveryRole reports whether a pattern of resources means all roles of an account.
func IsEveryRole(resource string) bool {
	if IsEverything(resource) {
		return true
	}
	parts := strings.SplitN(resource, ":", arnParts)
	name, ok := strings.CutPrefix(parts[len(parts)-1], "role/")
	return ok && len(parts) == arnParts && IsWildcard(strings.ReplaceAll(name, "/", ""))
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
