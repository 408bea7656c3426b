package cluster

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/object"
)

// Runners are the kinds that run as an account: Pods and what makes them, but for what
// runs as the account of a session cluster or of a virtual cluster.
func Runners() []object.Resource {
	return slices.DeleteFunc(object.Resources(), func(r object.Resource) bool {
		return r.IsSubresource() || !r.Workload && r.Kind != "Pod" || r.Kind == "FlinkSessionJob" || r.Kind == "JobRun"
	})
}

// Users looks through what SetObject has brought.
func (s *Snapshot) Users(ctx context.Context, namespace, account string) (users []string, all bool, err error) {
	var found []*object.Object
	for _, res := range Runners() {
		list, err := s.Objects(ctx, res.GroupResource(), namespace)
		if err != nil {
			return nil, false, err
		}
		found = append(found, list...)
	}
	return UsersOf(found, account), true, nil
}

// UsersOf are those objects that run as the account, without what a controller makes
// for one of a kind that is looked at itself.
func UsersOf(objects []*object.Object, account string) []string {
	var users []string
	kinds := Runners()
	for _, o := range objects {
		if owner := metav1.GetControllerOfNoCopy(o.Meta); owner != nil && slices.ContainsFunc(kinds, func(r object.Resource) bool { return r.Kind == owner.Kind }) {
			continue
		}
		if slices.ContainsFunc(o.Accounts(), func(a object.Account) bool { return a.Name == account }) {
			users = append(users, o.GVK.Kind+" "+o.Meta.Name)
		}
	}
	slices.Sort(users)
	return users
}
