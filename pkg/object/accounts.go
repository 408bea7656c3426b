package object

import (
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/object/jobconf"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

// Account is a ServiceAccount as which pods of an object run.
type Account struct {
	// Name of the ServiceAccount.
	Name string
	// Path of the field that names it.
	Path string
	// Role of the pods, as in Pod.
	Role string
	// Setting is true for an account that a setting names for pods which something that
	// runs makes later by itself.
	Setting bool
}

// defaultAccount is what a pod runs as that names no account.
const defaultAccount = "default"

// named is a field that may name the account of a pod.
type named struct{ path, name string }

// runAs declares as which account the pods of that role run. This is the one place
// where a decoder says so: it names the fields from the strongest to the weakest, as
// the operator reads them. Fields of one rank are those of which nobody can tell
// which one counts. The accounts of the first rank that names one are the pods'; when
// none does, they run as "default". All fields count as places that may name an
// account: an object in which one of them cannot be read is judged accordingly.
func (o *Object) runAs(role string, ranks ...[]named) {
	won := false
	for _, rank := range ranks {
		found := false
		for _, field := range rank {
			o.Job.accountFields = append(o.Job.accountFields, field.path)
			name := jobconf.AccountName(field.name)
			if won || name == "" {
				continue
			}
			found = true
			o.addAccount(Account{Name: name, Path: field.path, Role: role})
		}
		won = won || found
	}
	if !won && o.Job.ExecutionRole == "" && len(ranks) > 0 && len(ranks[0]) > 0 {
		o.addAccount(Account{Name: defaultAccount, Path: ranks[0][0].path, Role: role})
	}
	o.nameAccounts(role)
}

func (o *Object) addAccount(a Account) {
	if !slices.ContainsFunc(o.Job.accounts, func(b Account) bool { return a.Name == b.Name && a.Role == b.Role }) {
		o.Job.accounts = append(o.Job.accounts, a)
	}
}

// nameAccounts lets the pods of a role that name no account themselves name the one
// that they run as.
func (o *Object) nameAccounts(role string) {
	i := slices.IndexFunc(o.Job.accounts, func(a Account) bool { return a.Role == role })
	if i < 0 {
		return
	}
	a := o.Job.accounts[i]
	for j := range o.Pods {
		p := &o.Pods[j]
		if p.Spec.ServiceAccountName != "" || p.Spec.DeprecatedServiceAccount != "" {
			continue
		}
		if p.Role == role || p.Role == "" && o.isTemplateOf(p, role) {
			p.Spec.ServiceAccountName = a.Name
			if p.Elsewhere == nil {
				p.Elsewhere = map[any]string{}
			}
			p.Elsewhere["serviceAccountName"] = a.Path
		}
	}
}

// isTemplateOf reports whether a template is that of a role: it stands in its section,
// or, standing in none, is common to all and shown with the account of the first.
func (o *Object) isTemplateOf(p *podspec.Pod, role string) bool {
	for section, of := range map[string]string{
		".driver.": podspec.RoleDriver, ".executor.": podspec.RoleExecutor, ".server.": podspec.RoleDriver, ".driverSpec.": podspec.RoleDriver, ".executorSpec.": podspec.RoleExecutor,
		".masterSpec.": "master", ".workerSpec.": "worker",
	} {
		if strings.Contains(p.SpecPath, section) {
			return of == role
		}
	}
	return role == o.Job.accounts[0].Role
}

// Accounts are the ServiceAccounts as which the object's pods run: of a custom
// resource what its operator makes of it, of a Pod and a workload what their pods
// name. Settings that name none say nothing.
func (o *Object) Accounts() []Account {
	if o.Job != nil && o.Job.accounts != nil {
		return o.Job.accounts
	}
	return o.NamedAccounts()
}

// NamedAccounts are the ServiceAccounts that the pods of the object name, also those
// that a stronger field of a custom resource overrides.
func (o *Object) NamedAccounts() []Account {
	var list []Account
	for i := range o.Pods {
		p := &o.Pods[i]
		if name := p.ServiceAccountName(); name != "" {
			list = append(list, Account{Name: name, Path: p.FieldPath("serviceAccountName"), Role: p.Role, Setting: p.Configured})
		}
	}
	return list
}

// UnreadAccounts are the paths of fields that cannot be read and that may name, or
// hold what names, the account of a pod.
func (o *Object) UnreadAccounts() []string {
	if o.Job == nil {
		return nil
	}
	var list []string
	for _, path := range o.Unread() {
		if slices.ContainsFunc(o.Job.accountFields, func(field string) bool { return within(field, path) || within(path, field) }) {
			list = append(list, path)
		}
	}
	return list
}

// within reports whether a path is that of a field or of something in it.
func within(path, field string) bool {
	rest, ok := strings.CutPrefix(path, field)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
