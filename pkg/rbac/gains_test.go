package rbac

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
)

// TestGainsIsWhatIsNew has the changes of which nobody, or somebody, gains
// something in addition to what they hold.
func TestGainsIsWhatIsNew(t *testing.T) {
	t.Parallel()
	alice, bob := user("alice"), user("bob")
	secrets := rule("get", "-", "secrets")
	one, other := rule("get", "-", "secrets", "a"), rule("get", "-", "secrets", "b")
	for name, tc := range map[string]struct {
		exists []kruntime.Object
		change Change
		want   []string
	}{
		"a second path to what is held": {
			exists: []kruntime.Object{newRole("emr", "r", secrets), newRole("emr", "r2", secrets), bind("emr", "b", "Role/r", alice)},
			change: Change{New: bind("emr", "b2", "Role/r2", alice)},
		},
		"a RoleBinding beside a ClusterRoleBinding": {
			exists: []kruntime.Object{newClusterRole("r", secrets), bindCluster("b", "ClusterRole/r", alice)},
			change: Change{New: bind("emr", "b2", "ClusterRole/r", alice)},
		},
		"a ClusterRoleBinding beside a RoleBinding gains elsewhere": {
			exists: []kruntime.Object{newClusterRole("r", secrets), bind("emr", "b", "ClusterRole/r", alice)},
			change: Change{New: bindCluster("b2", "ClusterRole/r", alice)},
			want:   []string{"User alice | emr-2 | secrets | get secrets"},
		},
		"from one name to all": {
			exists: []kruntime.Object{newRole("emr", "r", one), newRole("emr", "all", secrets), bind("emr", "b", "Role/r", alice)},
			change: Change{New: bind("emr", "b2", "Role/all", alice)},
			want:   []string{"User alice | emr | secrets | get secrets"},
		},
		"from all to one name": {
			exists: []kruntime.Object{newRole("emr", "r", one), newRole("emr", "all", secrets), bind("emr", "b", "Role/all", alice)},
			change: Change{New: bind("emr", "b2", "Role/r", alice)},
		},
		"a further name": {
			exists: []kruntime.Object{newRole("emr", "r", one), bind("emr", "b", "Role/r", alice)},
			change: Change{Old: newRole("emr", "r", one), New: newRole("emr", "r", one, other)},
			want:   []string{"User alice | emr | secrets | get secrets named b"},
		},
		"a further name in the same rule": {
			exists: []kruntime.Object{newRole("emr", "r", one), bind("emr", "b", "Role/r", alice)},
			change: Change{Old: newRole("emr", "r", one), New: newRole("emr", "r", rule("get", "-", "secrets", "c", "a", "b"))},
			want:   []string{"User alice | emr | secrets | get secrets named b, c"},
		},
		"names that two other roles give": {
			exists: []kruntime.Object{
				newRole("emr", "r1", one), newRole("emr", "r2", other), newRole("emr", "both", rule("get", "-", "secrets", "a", "b")),
				bind("emr", "b1", "Role/r1", alice), bind("emr", "b2", "Role/r2", alice),
			},
			change: Change{New: bind("emr", "b3", "Role/both", alice)},
		},
		"a rule is taken away": {
			exists: []kruntime.Object{newRole("emr", "r", secrets, rule("create", "-", "configmaps")), bind("emr", "b", "Role/r", alice)},
			change: Change{Old: newRole("emr", "r", secrets, rule("create", "-", "configmaps")), New: newRole("emr", "r", secrets)},
		},
		"nothing changes": {
			exists: []kruntime.Object{newRole("emr", "r", secrets), bind("emr", "b", "Role/r", alice)},
			change: Change{Old: newRole("emr", "r", secrets), New: newRole("emr", "r", secrets)},
		},
		"rules are written in another way": {
			exists: []kruntime.Object{newRole("emr", "r", rule("get,list", "-", "secrets,configmaps")), bind("emr", "b", "Role/r", alice)},
			change: Change{
				Old: newRole("emr", "r", rule("get,list", "-", "secrets,configmaps")),
				New: newRole("emr", "r", rule("list,get", "-", "configmaps"), rule("get", "-", "secrets"), rule("list", "-", "secrets")),
			},
		},
		"one verb more": {
			exists: []kruntime.Object{newRole("emr", "r", secrets), bind("emr", "b", "Role/r", alice)},
			change: Change{Old: newRole("emr", "r", secrets), New: newRole("emr", "r", rule("get,list", "-", "secrets"))},
			want:   []string{"User alice | emr | secrets | list secrets"},
		},
		"a subject is removed": {
			exists: []kruntime.Object{newRole("emr", "r", secrets), bind("emr", "b", "Role/r", alice, bob)},
			change: Change{Old: bind("emr", "b", "Role/r", alice, bob), New: bind("emr", "b", "Role/r", bob)},
		},
		"a subject is added": {
			exists: []kruntime.Object{newRole("emr", "r", secrets), bind("emr", "b", "Role/r", alice)},
			change: Change{Old: bind("emr", "b", "Role/r", alice), New: bind("emr", "b", "Role/r", alice, bob)},
			want:   []string{"User bob | emr | secrets | get secrets"},
		},
		"a subject is there twice, in two spellings": {
			exists: []kruntime.Object{newRole("emr", "r", secrets)},
			change: Change{New: bind("emr", "b", "Role/r", account("", "sa"), user("system:serviceaccount:emr:sa"), account("emr", "sa"))},
			want:   []string{"ServiceAccount emr/sa | emr | secrets | get secrets"},
		},
		"a roleRef is changed, in files": {
			exists: []kruntime.Object{newRole("emr", "r", rule("get", "-", "pods")), newRole("emr", "r2", secrets), bind("emr", "b", "Role/r", alice)},
			change: Change{Old: bind("emr", "b", "Role/r", alice), New: bind("emr", "b", "Role/r2", alice)},
			want:   []string{"User alice | emr | secrets | get secrets"},
		},
		"the last binding moves to another role with the same": {
			exists: []kruntime.Object{newRole("emr", "r", secrets), newRole("emr", "r2", secrets), bind("emr", "b", "Role/r", alice)},
			change: Change{Old: bind("emr", "b", "Role/r", alice), New: bind("emr", "b", "Role/r2", alice)},
		},
		"a label leaves an aggregate": {
			exists: []kruntime.Object{
				labelled(newClusterRole("m", secrets), "x"), aggregating(newClusterRole("a", secrets), "x"), bind("emr", "b", "ClusterRole/a", alice),
			},
			change: Change{Old: labelled(newClusterRole("m", secrets), "x"), New: newClusterRole("m", secrets)},
		},
		"a label moves to an aggregate in which it was by another": {
			exists: []kruntime.Object{
				labelled(newClusterRole("m", secrets), "x"), aggregating(newClusterRole("a"), "x", "y"), bind("emr", "b", "ClusterRole/a", alice),
			},
			change: Change{Old: labelled(newClusterRole("m", secrets), "x"), New: labelled(newClusterRole("m", secrets), "y")},
		},
		"an aggregate wins a circle": {
			exists: []kruntime.Object{
				labelled(aggregating(newClusterRole("a", rule("get", "-", "pods")), "b"), "a"),
				labelled(aggregating(newClusterRole("b", rule("get", "-", "pods")), "a"), "b"),
				bind("emr", "b", "ClusterRole/a", alice),
			},
			change: Change{New: labelled(newClusterRole("m", secrets), "a")},
			want:   []string{"User alice | emr | secrets | get secrets"},
		},
		"the ones who are bound to the role itself and to its aggregate": {
			exists: []kruntime.Object{
				labelled(newClusterRole("m"), "x"), aggregating(newClusterRole("a"), "x"),
				bind("emr", "b", "ClusterRole/a", alice), bind("emr", "c", "ClusterRole/m", alice), bind("emr-2", "c", "ClusterRole/m", bob),
			},
			change: Change{Old: labelled(newClusterRole("m"), "x"), New: labelled(newClusterRole("m", secrets), "x")},
			want:   []string{"User alice | emr | secrets | get secrets", "User bob | emr-2 | secrets | get secrets"},
		},
		"a literal verb of a wildcard, and then another": {
			exists: []kruntime.Object{newClusterRole("r", rule("get", "-", "nodes/proxy")), bindCluster("b", "ClusterRole/r", alice)},
			change: Change{Old: newClusterRole("r", rule("get", "-", "nodes/proxy")), New: newClusterRole("r", rule("get,create", "-", "nodes/proxy"))},
			want:   []string{"User alice |  | exec | create nodes/proxy"},
		},
		"a literal verb of a wildcard, from one name to all": {
			exists: []kruntime.Object{newClusterRole("r", rule("get", "-", "nodes/proxy", "a")), bindCluster("b", "ClusterRole/r", alice)},
			change: Change{Old: newClusterRole("r", rule("get", "-", "nodes/proxy", "a")), New: newClusterRole("r", rule("get", "-", "nodes/proxy"))},
			want:   []string{"User alice |  | exec | get nodes/proxy"},
		},
		"a literal verb of a wildcard, a further name": {
			exists: []kruntime.Object{newClusterRole("r", rule("get", "-", "nodes/proxy", "a")), bindCluster("b", "ClusterRole/r", alice)},
			change: Change{Old: newClusterRole("r", rule("get", "-", "nodes/proxy", "a")), New: newClusterRole("r", rule("get,create", "-", "nodes/proxy", "a", "b"))},
			want:   []string{"User alice |  | exec | create nodes/proxy named a, b; get nodes/proxy named b"},
		},
		"a literal verb of a wildcard that is held in whole": {
			exists: []kruntime.Object{
				newClusterRole("r", rule("*", "-", "nodes/proxy")), bindCluster("b", "ClusterRole/r", alice),
				newClusterRole("r2", rule("get", "-", "nodes/proxy")),
			},
			change: Change{New: bindCluster("b2", "ClusterRole/r2", alice)},
		},
		"a subresource that is held on all resources": {
			exists: []kruntime.Object{
				newRole("emr", "r", rule("impersonate-on:x:get", "*", "*/scale")), bind("emr", "b", "Role/r", alice),
				newRole("emr", "r2", rule("impersonate-on:x:get", "apps", "deployments/scale,deployments/status")),
			},
			change: Change{New: bind("emr", "b2", "Role/r2", alice)},
			want:   []string{"User alice | emr | escalation | impersonate-on:x:get deployments.apps/status"},
		},
		"impersonation on a resource that is held on all": {
			exists: []kruntime.Object{
				newRole("emr", "r", rule("impersonate-on:x:get", "*", "*")), bind("emr", "b", "Role/r", alice),
				newRole("emr", "r2", rule("impersonate-on:x:get", "apps", "deployments,*/scale"), rule("impersonate-on:x:list", "apps", "*/scale", "n")),
			},
			change: Change{New: bind("emr", "b2", "Role/r2", alice)},
			want:   []string{"User alice | emr | escalation | impersonate-on:x:list *.apps/scale named n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gainsOf(t, storeOf(t, tc.exists...), tc.change)
			same(t, "gains", say(r.Gains), tc.want)
		})
	}
}

func TestGainsNameThePath(t *testing.T) {
	t.Parallel()
	secrets, pods := rule("get", "-", "secrets"), rule("get", "-", "pods")
	aggregates := []kruntime.Object{
		aggregating(newClusterRole("admin", pods), "to-admin"),
		labelled(aggregating(newClusterRole("edit", pods), "to-edit"), "to-admin"),
	}
	for name, tc := range map[string]struct {
		exists []kruntime.Object
		change Change
		want   []string
	}{
		"to a Role": {
			exists: []kruntime.Object{newRole("emr", "r", pods, pods, secrets)},
			change: Change{New: bind("emr", "b", "Role/r", user("alice"))},
			want:   []string{"RoleBinding emr/b → Role r → rules[2]"},
		},
		"to a ClusterRole": {
			exists: []kruntime.Object{newClusterRole("r", secrets)},
			change: Change{New: bind("emr", "b", "ClusterRole/r", user("alice"))},
			want:   []string{"RoleBinding emr/b → ClusterRole r → rules[0]"},
		},
		"of a ClusterRoleBinding": {
			exists: []kruntime.Object{newClusterRole("r", rule("list", "-", "pods", "secrets"), secrets, rule("get,list", "*", "*", "x"))},
			change: Change{New: bindCluster("b", "ClusterRole/r", group("g"))},
			want: []string{
				"ClusterRoleBinding b → ClusterRole r → rules[1]",
				"ClusterRoleBinding b → ClusterRole r → rules[2]",
			},
		},
		"through aggregates": {
			exists: append(aggregates, bind("emr", "b", "ClusterRole/admin", user("alice"))),
			change: Change{New: labelled(newClusterRole("mine", pods, secrets), "to-edit")},
			want:   []string{"RoleBinding emr/b → ClusterRole admin → aggregates ClusterRole edit → aggregates ClusterRole mine → rules[1]"},
		},
		"of a rule that the controller has copied, where it comes from": {
			exists: []kruntime.Object{
				aggregating(newClusterRole("admin", secrets), "to-admin"), labelled(newClusterRole("mine", pods, secrets), "to-admin"),
			},
			change: Change{New: bind("emr", "b", "ClusterRole/admin", user("alice"))},
			want:   []string{"RoleBinding emr/b → ClusterRole admin → aggregates ClusterRole mine → rules[1]"},
		},
		"of a rule that an aggregate has from nobody": {
			exists: []kruntime.Object{aggregating(newClusterRole("admin", pods, secrets), "to-admin")},
			change: Change{New: bind("emr", "b", "ClusterRole/admin", user("alice"))},
			want:   []string{"RoleBinding emr/b → ClusterRole admin → rules[1]"},
		},
		"by every binding of the role, but not by what was there": {
			exists: []kruntime.Object{
				newRole("emr", "r", pods), bind("emr", "b", "Role/r", user("alice")), bind("emr", "c", "Role/r", user("alice")),
				newRole("emr", "other", pods), bind("emr", "d", "Role/other", user("alice")),
			},
			change: Change{Old: newRole("emr", "r", pods), New: newRole("emr", "r", pods, secrets)},
			want:   []string{"RoleBinding emr/b → Role r → rules[1]", "RoleBinding emr/c → Role r → rules[1]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var secretsOnly []Grant
			for _, g := range gainsOf(t, storeOf(t, tc.exists...), tc.change).Gains {
				if g.Capability == "secrets" {
					secretsOnly = append(secretsOnly, g)
				}
			}
			same(t, "paths", sayPaths(secretsOnly), tc.want)
		})
	}
}

func TestLatent(t *testing.T) {
	t.Parallel()
	alice, bob := user("alice"), user("bob")
	for name, tc := range map[string]struct {
		exists []kruntime.Object
		change Change
		want   []string
	}{
		"a binding to no Role": {
			change: Change{New: bind("emr", "b", "Role/r", alice, bob)},
			want:   []string{"RoleBinding emr/b → Role emr/r: [User alice User bob]"},
		},
		"a binding to no ClusterRole": {
			change: Change{New: bindCluster("b", "ClusterRole/r", account("ci", "sa"))},
			want:   []string{"ClusterRoleBinding b → ClusterRole r: [ServiceAccount ci/sa]"},
		},
		"the Role of another namespace": {
			exists: []kruntime.Object{newRole("other", "r"), newClusterRole("r")},
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			want:   []string{"RoleBinding emr/b → Role emr/r: [User alice]"},
		},
		"only who is new": {
			exists: []kruntime.Object{bind("emr", "b", "Role/r", alice)},
			change: Change{Old: bind("emr", "b", "Role/r", alice), New: bind("emr", "b", "Role/r", alice, bob)},
			want:   []string{"RoleBinding emr/b → Role emr/r: [User bob]"},
		},
		"nobody new":        {change: Change{Old: bind("emr", "b", "Role/r", alice), New: bind("emr", "b", "Role/r", alice)}},
		"nobody at all":     {change: Change{New: bind("emr", "b", "Role/r")}},
		"another namespace": {change: Change{New: bind("other", "b", "Role/r", alice)}},
		"a roleRef that can never name a role": {
			change: Change{New: bindCluster("b", "Role/r", alice)},
		},
		"a role without rules exists": {
			exists: []kruntime.Object{newRole("emr", "r")},
			change: Change{New: bind("emr", "b", "Role/r", alice)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gainsOf(t, storeOf(t, tc.exists...), tc.change)
			got := []string{}
			for _, l := range r.Latent {
				got = append(got, fmt.Sprintf("%s → %s: %v", l.Binding, l.Role, l.Subjects))
			}
			same(t, "latent", got, tc.want)
			if len(r.Gains) > 0 {
				t.Errorf("gains: %v", say(r.Gains))
			}
		})
	}
}

// A role that is applied together with its binding: the store may not have it yet.
func TestGainsLooksUpTheRole(t *testing.T) {
	t.Parallel()
	alice := user("alice")
	found := func(o kruntime.Object) func(ObjectRef) (kruntime.Object, error) {
		return func(ObjectRef) (kruntime.Object, error) { return o, nil }
	}
	secrets := rule("get", "-", "secrets")
	gained := []string{"User alice | emr | secrets | get secrets"}

	t.Run("found", func(t *testing.T) {
		t.Parallel()
		asked := []string{}
		r := gainsOf(t, storeOf(t), Change{New: bind("emr", "b", "Role/r", alice), Lookup: func(ref ObjectRef) (kruntime.Object, error) {
			asked = append(asked, ref.String())
			return newRole("emr", "r", secrets), nil
		}})
		same(t, "gains", say(r.Gains), gained)
		same(t, "asked", asked, []string{"Role emr/r"})
	})
	t.Run("an aggregate is found, and its members are in the store", func(t *testing.T) {
		t.Parallel()
		s := storeOf(t, labelled(newClusterRole("m", secrets), "x"))
		r := gainsOf(t, s, Change{New: bind("emr", "b", "ClusterRole/a", alice), Lookup: found(aggregating(newClusterRole("a"), "x"))})
		same(t, "gains", say(r.Gains), gained)
	})
	t.Run("not found", func(t *testing.T) {
		t.Parallel()
		r := gainsOf(t, storeOf(t), Change{New: bind("emr", "b", "Role/r", alice), Lookup: found(nil)})
		if len(r.Gains) != 0 || len(r.Latent) != 1 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("not asked when the role is there", func(t *testing.T) {
		t.Parallel()
		never := func(ref ObjectRef) (kruntime.Object, error) { return nil, fmt.Errorf("asked for %s", ref) }
		r := gainsOf(t, storeOf(t, newRole("emr", "r", secrets)), Change{New: bind("emr", "b", "Role/r", alice), Lookup: never})
		same(t, "gains", say(r.Gains), gained)
		r = gainsOf(t, storeOf(t), Change{
			New: bind("emr", "b", "Role/r", alice), Overlay: []kruntime.Object{newRole("emr", "r", secrets)}, Lookup: never,
		})
		same(t, "gains with an overlay", say(r.Gains), gained)
	})
	t.Run("an error ends it", func(t *testing.T) {
		t.Parallel()
		cause := errors.New("timeout")
		_, err := storeOf(t).Gains(t.Context(), Change{New: bind("emr", "b", "Role/r", alice), Lookup: func(ObjectRef) (kruntime.Object, error) {
			return nil, cause
		}}, []string{"emr"}, forbidden(t))
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), "Role emr/r") || !strings.Contains(err.Error(), "RoleBinding emr/b") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("another object is an error", func(t *testing.T) {
		t.Parallel()
		for _, o := range []kruntime.Object{newRole("emr", "r2"), newRole("other", "r"), newClusterRole("r"), &corev1.Pod{}, (*rbacv1.Role)(nil)} {
			if _, err := storeOf(t).Gains(t.Context(), Change{New: bind("emr", "b", "Role/r", alice), Lookup: found(o)}, []string{"emr"}, forbidden(t)); err == nil {
				t.Errorf("%T is no error", o)
			}
		}
	})
}

// What the store knows may be older, or newer, than the request.
func TestGainsTrustsTheRequest(t *testing.T) {
	t.Parallel()
	alice := user("alice")
	secrets, pods := rule("get", "-", "secrets"), rule("get", "-", "pods")
	gained := []string{"User alice | emr | secrets | get secrets"}

	t.Run("the store has the new role already", func(t *testing.T) {
		t.Parallel()
		s := storeOf(t, newRole("emr", "r", secrets), bind("emr", "b", "Role/r", alice))
		same(t, "gains", say(gainsOf(t, s, Change{Old: newRole("emr", "r", pods), New: newRole("emr", "r", secrets)}).Gains), gained)
	})
	t.Run("the store has a binding that was deleted", func(t *testing.T) {
		t.Parallel()
		s := storeOf(t, newRole("emr", "r", secrets), bind("emr", "b", "Role/r", alice))
		same(t, "gains", say(gainsOf(t, s, Change{New: bind("emr", "b", "Role/r", alice)}).Gains), gained)
	})
	t.Run("the store has a role that was deleted", func(t *testing.T) {
		t.Parallel()
		s := storeOf(t, newRole("emr", "r", secrets), bind("emr", "b", "Role/r", alice))
		same(t, "gains", say(gainsOf(t, s, Change{New: newRole("emr", "r", secrets)}).Gains), gained)
	})
	t.Run("a binding that only the overlay has", func(t *testing.T) {
		t.Parallel()
		change := Change{New: newRole("emr", "r", secrets), Overlay: []kruntime.Object{bind("emr", "b", "Role/r", alice)}}
		same(t, "gains", say(gainsOf(t, storeOf(t), change).Gains), gained)
	})
	t.Run("a binding whose subjects the overlay knows better", func(t *testing.T) {
		t.Parallel()
		s := storeOf(t, newRole("emr", "r", pods), bind("emr", "b", "Role/r", user("old")))
		change := Change{
			Old: newRole("emr", "r", pods), New: newRole("emr", "r", secrets),
			Overlay: []kruntime.Object{bind("emr", "b", "Role/r", alice)},
		}
		same(t, "gains", say(gainsOf(t, s, change).Gains), gained)
	})
	t.Run("nothing is changed by an evaluation", func(t *testing.T) {
		t.Parallel()
		s := storeOf(t, newRole("emr", "r", pods), bind("emr", "b", "Role/r", alice))
		before := s.Stats()
		for range 3 {
			change := Change{Old: newRole("emr", "r", pods), New: newRole("emr", "r", secrets)}
			same(t, "gains", say(gainsOf(t, s, change).Gains), gained)
		}
		if s.Stats() != before {
			t.Errorf("%+v, then %+v", before, s.Stats())
		}
	})
}

func TestGainsErrors(t *testing.T) {
	t.Parallel()
	role := newRole("emr", "r")
	for name, tc := range map[string]struct {
		change Change
		want   string
	}{
		"another kind":          {Change{New: &corev1.Pod{}}, "*v1.Pod is no Role"},
		"another kind before":   {Change{New: role, Old: &corev1.Pod{}}, "before the change"},
		"another name before":   {Change{New: role, Old: newRole("emr", "x")}, "Role emr/x"},
		"a nil pointer":         {Change{New: (*rbacv1.ClusterRole)(nil)}, "nil"},
		"a bad overlay":         {Change{New: role, Overlay: []kruntime.Object{nil}}, "overlay"},
		"a Role in no place":    {Change{New: newRole("", "r")}, "metadata.namespace"},
		"a binding in no place": {Change{New: bind("", "b", "Role/r")}, "metadata.namespace"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := storeOf(t).Gains(t.Context(), tc.change, nil, forbidden(t))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v does not say %q", err, tc.want)
			}
		})
	}
	if r, err := storeOf(t).Gains(t.Context(), Change{Old: role}, []string{"emr"}, forbidden(t)); err != nil || len(r.Gains)+len(r.Latent) > 0 {
		t.Errorf("a DELETE: %+v, %v", r, err)
	}
}

// The namespaces of the question may be in any order, twice, or empty.
func TestGainsAsksForNamespaces(t *testing.T) {
	t.Parallel()
	s := storeOf(t, newClusterRole("r", rule("get", "*", "secrets,nodes/proxy")))
	change := Change{New: bindCluster("b", "ClusterRole/r", user("alice"))}
	r, err := s.Gains(t.Context(), change, []string{"z", "a", "", "z", "m"}, forbidden(t))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "gains", say(r.Grants()), []string{
		"User alice |  | exec | get nodes/proxy",
		"User alice | a | secrets | get secrets",
		"User alice | m | secrets | get secrets",
		"User alice | z | secrets | get secrets",
	})
	if r, err = s.Gains(t.Context(), change, nil, forbidden(t)); err != nil || len(r.Gains) != 1 {
		t.Errorf("without namespaces: %v, %v", say(r.Grants()), err)
	}
}
