package cluster

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// recentFor is how long an admitted object counts before the watch has brought it.
// Watches are behind by milliseconds; an object that another webhook refused after
// all is forgotten with this.
const recentFor = 5 * time.Second

// recent holds the roles and bindings that were admitted a moment ago and that the
// watches have not brought yet. A binding and the role that it names are often
// applied by one command, one after the other: without this, the second would be
// judged as if the first were not there.
type recent struct {
	now func() time.Time

	mu      sync.Mutex
	objects map[rbac.ObjectRef]admitted
}

type admitted struct {
	object runtime.Object
	at     time.Time
}

// add takes an admitted object in.
func (r *recent) add(obj runtime.Object) {
	ref, ok := refOf(obj)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.objects == nil {
		r.objects = map[rbac.ObjectRef]admitted{}
	}
	r.objects[ref] = admitted{obj, r.now()}
}

// settle forgets an object of which the watch has brought news.
func (r *recent) settle(obj runtime.Object) {
	ref, ok := refOf(obj)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.objects, ref)
}

// list returns what is still recent, and forgets the rest.
func (r *recent) list() []runtime.Object {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []runtime.Object
	for ref, a := range r.objects {
		if r.now().Sub(a.at) > recentFor {
			delete(r.objects, ref)
			continue
		}
		list = append(list, a.object)
	}
	return list
}

func refOf(obj runtime.Object) (rbac.ObjectRef, bool) {
	m, ok := obj.(metav1.Object)
	if !ok {
		return rbac.ObjectRef{}, false
	}
	kind, ok := kindOf(obj)
	return rbac.ObjectRef{Kind: kind, Namespace: m.GetNamespace(), Name: m.GetName()}, ok
}
