package live

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// watchSilence is how long a watch that works may bring nothing: the API server
// sends a bookmark about once a minute, and closes a watch after ten minutes at the
// latest, upon which it is opened again.
const watchSilence = 3 * time.Minute

// Freshness says how current a [Cluster] is. It is safe for concurrent use.
type Freshness struct {
	now     func() time.Time
	contact atomic.Int64             // when the API server last answered, in nanoseconds
	watches map[string]*atomic.Int64 // by resource: the last sign of life; never changed
}

func newFreshness(now func() time.Time, resources []string) *Freshness {
	f := &Freshness{now: now, watches: make(map[string]*atomic.Int64, len(resources))}
	begin := now().UnixNano()
	f.contact.Store(begin)
	for _, resource := range resources {
		at := &atomic.Int64{}
		at.Store(begin)
		f.watches[resource] = at
	}
	return f
}

func (f *Freshness) age(of *atomic.Int64) time.Duration {
	return max(0, f.now().Sub(time.Unix(0, of.Load())))
}

// Contact is how long ago the API server last let emrguard read what it watches.
func (f *Freshness) Contact() time.Duration { return f.age(&f.contact) }

// Resources that are watched, sorted.
func (f *Freshness) Resources() []string {
	list := make([]string, 0, len(f.watches))
	for resource := range f.watches {
		list = append(list, resource)
	}
	slices.Sort(list)
	return list
}

// Watch is how long ago the watch of a resource last gave a sign of life: an event, a
// bookmark or a list. It is zero for a resource that is not watched.
func (f *Freshness) Watch(resource string) time.Duration {
	if at := f.watches[resource]; at != nil {
		return f.age(at)
	}
	return 0
}

// Stale returns an error when verdicts rest on data that are too old: the API server
// has not let emrguard read for longer than the limit, or a watch has been silent for
// longer than a watch that works can be. It says the same as long as that lasts; the
// ages are metrics.
func (f *Freshness) Stale(limit time.Duration) error {
	if f.Contact() > limit {
		return fmt.Errorf("the API server has not let emrguard read what it watches for more than %s (--stale-after): look at the log, at the ClusterRoleBinding of emrguard and at network policies", limit)
	}
	silence := max(limit, watchSilence)
	var silent []string
	for _, resource := range f.Resources() {
		if f.Watch(resource) > silence {
			silent = append(silent, fmt.Sprintf("%s for more than %s", resource, silence))
		}
	}
	if len(silent) > 0 {
		return fmt.Errorf("watches have brought nothing, not even a bookmark: %s", strings.Join(silent, ", "))
	}
	return nil
}
