package config

import "fmt"

// Advice says what is allowed in a configuration and will all the same surprise whoever
// enforces it, one sentence each.
func (c *Guard) Advice() []string {
	var list []string
	if c.NamesNoAdministrator() {
		list = append(list, "administrators names nobody beyond system:masters, and on EKS nobody is in system:masters by default: "+
			"everybody who works with kubectl counts as a submitter. Set administrators.groups to the Kubernetes groups of your access entries, "+
			"or administrators.users to user names such as arn:aws:sts::123456789012:assumed-role/platform-admin/*")
	}
	for i, x := range c.Exemptions {
		if x.Object != "" && x.User == "" && x.Subject == "" {
			list = append(list, fmt.Sprintf("exemptions[%d] goes by the name of an object alone, which whoever creates the object chooses: add the user who may", i))
		}
	}
	return list
}

// NamesNoAdministrator reports whether the configuration names no administrator of
// its own: there are only those of system:masters, if any.
func (c *Guard) NamesNoAdministrator() bool {
	for _, group := range c.Administrators.Groups {
		if group != mastersGroup {
			return false
		}
	}
	return len(c.Administrators.Users) == 0
}
