// Package scope says which namespaces are EMR's and as what somebody acts
// there.
package scope

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
)

const serviceAccountPrefix = "system:serviceaccount:"

// controllers are the accounts as which the controllers of the
// kube-controller-manager act, in kube-system. They are named one by one: every
// pod of a Deployment or Job is created by one of them, so "an account of
// kube-system" would excuse everybody.
var controllers = []string{
	"attachdetach-controller", "certificate-controller", "clusterrole-aggregation-controller", "cronjob-controller",
	"daemon-set-controller", "deployment-controller", "disruption-controller", "endpoint-controller",
	"endpointslice-controller", "endpointslicemirroring-controller", "ephemeral-volume-controller", "expand-controller",
	"generic-garbage-collector", "horizontal-pod-autoscaler", "job-controller", "legacy-service-account-token-cleaner",
	"namespace-controller", "node-controller", "persistent-volume-binder", "pod-garbage-collector", "pv-protection-controller",
	"pvc-protection-controller", "replicaset-controller", "replication-controller", "resource-claim-controller",
	"resourcequota-controller", "root-ca-cert-publisher", "service-account-controller", "service-controller",
	"statefulset-controller", "taint-eviction-controller", "ttl-after-finished-controller", "ttl-controller",
	"validatingadmissionpolicy-status-controller",
}

// Who classifies requesters.
type Who struct {
	emrUsers       pattern.Set
	operators      []string
	jobAccounts    emr.JobAccounts
	administrators pattern.Set
	adminGroups    []string
	breakGlass     []string
	account        string
}

// NewWho reads who is who from the configuration.
func NewWho(c *config.Guard) (*Who, error) {
	users, err := pattern.ParseSet(c.EMR.Principals.Users)
	if err != nil {
		return nil, fmt.Errorf("emr.principals.users%w", err)
	}
	administrators, err := pattern.ParseSet(c.Administrators.Users)
	if err != nil {
		return nil, fmt.Errorf("administrators.users%w", err)
	}
	jobAccounts, err := emr.ParseJobAccounts(c.EMR.Principals.JobAccounts)
	if err != nil {
		return nil, fmt.Errorf("emr.principals.jobAccounts%w", err)
	}
	return &Who{
		emrUsers:       users,
		operators:      c.EMR.Principals.Operators,
		jobAccounts:    jobAccounts,
		administrators: administrators,
		adminGroups:    c.Administrators.Groups,
		breakGlass:     c.BreakGlass.Groups,
		account:        c.EMR.Account,
	}, nil
}

// Classify says as what a user acts in a namespace. A job account is one before
// it is anything else but EMR itself: no list of administrators makes the code
// that runs under it trustworthy.
func (w *Who) Classify(user string, groups []string, namespace string) rule.Requester {
	r := rule.Requester{User: user, Groups: groups, Class: rule.Submitter}
	r.BreakGlass = slices.ContainsFunc(w.breakGlass, func(g string) bool { return slices.Contains(groups, g) })
	switch {
	case w.isEMR(user):
		r.Class = rule.EMRService
	case w.isJobAccount(user, namespace, &r.Account):
		r.Class = rule.JobAccount
	case w.administrators.Match(user), slices.ContainsFunc(w.adminGroups, func(g string) bool { return slices.Contains(groups, g) }):
		r.Class = rule.Administrator
	case isController(user):
		r.Class = rule.Controller
	}
	return r
}

// isEMR reports whether the user is EMR itself or a configured operator. When
// the account id is known, an assumed role has to be of that account.
func (w *Who) isEMR(user string) bool {
	if slices.Contains(w.operators, user) {
		return true
	}
	if !w.emrUsers.Match(user) {
		return false
	}
	if w.account == "" || !strings.HasPrefix(user, "arn:") {
		return true
	}
	parts := strings.SplitN(user, ":", 6)
	return len(parts) == 6 && parts[4] == w.account
}

// isJobAccount reports whether the user is a job account of the namespace, and
// fills in which.
func (w *Who) isJobAccount(user, namespace string, account *emr.Account) bool {
	rest, ok := strings.CutPrefix(user, serviceAccountPrefix)
	if !ok {
		return false
	}
	ns, name, ok := strings.Cut(rest, ":")
	if !ok || ns != namespace {
		return false
	}
	a, ok := w.jobAccounts.Find(name)
	if ok {
		*account = a
	}
	return ok
}

func isController(user string) bool {
	if user == "system:kube-controller-manager" {
		return true // without --use-service-account-credentials
	}
	name, ok := strings.CutPrefix(user, serviceAccountPrefix+"kube-system:")
	return ok && slices.Contains(controllers, name)
}

// CarriesOut reports whether the user only carries out what was decided elsewhere
// and must never be refused: the controller that fills aggregated ClusterRoles (the
// labelled one was judged), and the API server itself, which brings the roles of a
// new Kubernetes version when it starts and would not become ready.
func CarriesOut(user string) bool {
	switch user {
	case serviceAccountPrefix + "kube-system:clusterrole-aggregation-controller", "system:kube-controller-manager", "system:apiserver":
		return true
	}
	return false
}

// deleters are the controllers that delete what somebody else decided to delete.
var deleters = []string{
	"system:kube-controller-manager",
	serviceAccountPrefix + "kube-system:generic-garbage-collector",
	serviceAccountPrefix + "kube-system:namespace-controller",
	serviceAccountPrefix + "kube-system:pod-garbage-collector",
	serviceAccountPrefix + "kube-system:ttl-after-finished-controller",
}

// Deleters returns the users of whom DeletesForOthers is true.
func Deleters() []string { return slices.Clone(deleters) }

// DeletesForOthers reports whether the user is one of the controllers that
// delete what somebody else decided to delete. No rule may ever hinder them.
func DeletesForOthers(user string) bool { return slices.Contains(deleters, user) }
