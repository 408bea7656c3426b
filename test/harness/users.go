package harness

import (
	"fmt"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// The people and services of the tests and of the demo.
const (
	// EMRUser is the user that the EMR service acts as (eksctl's name for it).
	EMRUser = "emr-containers"
	// Submitter is a data scientist who submits jobs.
	Submitter = "alice"
	// SubmitterGroup is the group of the submitters.
	SubmitterGroup = "data-scientists"
	// OnCall is an engineer who may impersonate the break-glass group.
	OnCall = "olga"
	// BreakGlassGroup is the default group whose denials become warnings.
	BreakGlassGroup = "emrguard:break-glass"
)

// ServiceAccountUser returns the user name of a ServiceAccount.
func ServiceAccountUser(namespace, name string) string {
	return "system:serviceaccount:" + namespace + ":" + name
}

// AdminConfig returns the configuration of the administrator, a member of
// system:masters.
func (cp *ControlPlane) AdminConfig() *rest.Config { return rest.CopyConfig(cp.admin) }

// UserConfig returns the configuration of a user with a client certificate of
// its own, as a person's kubeconfig would have it.
func (cp *ControlPlane) UserConfig(name string, groups ...string) (*rest.Config, error) {
	return cp.certConfig(name, groups...)
}

// ImpersonationConfig returns a configuration with which the administrator acts
// as somebody else. For a ServiceAccount the groups that its token would carry
// are added.
func (cp *ControlPlane) ImpersonationConfig(user string, groups ...string) *rest.Config {
	config := rest.CopyConfig(cp.admin)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: withImplicitGroups(user, groups)}
	return config
}

// withImplicitGroups adds the groups that the API server gives a ServiceAccount
// when it presents its token. It adds them to an impersonated one only when no
// group is named, so they are named here in any case.
func withImplicitGroups(user string, groups []string) []string {
	rest, ok := strings.CutPrefix(user, "system:serviceaccount:")
	if !ok {
		return groups
	}
	namespace, _, _ := strings.Cut(rest, ":")
	return append([]string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"}, groups...)
}

// certConfig provisions a client certificate, once per user and groups.
func (cp *ControlPlane) certConfig(name string, groups ...string) (*rest.Config, error) {
	key := name + "\x00" + strings.Join(groups, "\x00")
	cp.mu.Lock()
	defer cp.mu.Unlock()
	if config, ok := cp.users[key]; ok {
		return rest.CopyConfig(config), nil
	}
	user, err := cp.env.AddUser(envtest.User{Name: name, Groups: groups}, &rest.Config{QPS: -1})
	if err != nil {
		return nil, fmt.Errorf("provision user %s: %w", name, err)
	}
	cp.users[key] = user.Config()
	return rest.CopyConfig(cp.users[key]), nil
}

// WriteKubeconfig writes a kubeconfig file for kubectl with the given default
// namespace. A bearer token file is not written, only a token.
func WriteKubeconfig(path string, config *rest.Config, namespace string) error {
	const name = "emrguard"
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters[name] = &clientcmdapi.Cluster{
		Server:                   config.Host,
		CertificateAuthorityData: config.CAData,
	}
	kubeconfig.AuthInfos[name] = &clientcmdapi.AuthInfo{
		ClientCertificateData: config.CertData,
		ClientKeyData:         config.KeyData,
		Token:                 config.BearerToken,
		Impersonate:           config.Impersonate.UserName,
		ImpersonateGroups:     config.Impersonate.Groups,
	}
	kubeconfig.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: namespace}
	kubeconfig.CurrentContext = name
	if err := clientcmd.WriteToFile(*kubeconfig, path); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
