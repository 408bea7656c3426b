package nodes

import "testing"

func TestProvidersOfTheInstanceProfile(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"com.amazonaws.auth.InstanceProfileCredentialsProvider":             "com.amazonaws.auth.InstanceProfileCredentialsProvider",
		"a.B, org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider": "org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider",
		"old.Provider=x.EC2ContainerCredentialsProviderWrapper":             "x.EC2ContainerCredentialsProviderWrapper",
		"com.amazonaws.auth.WebIdentityTokenCredentialsProvider":            "",
		"x.NoInstanceProfileCredentialsProvider":                            "",
		"x.InstanceProfileCredentialsProvider$Builder":                      "",
		"the InstanceProfileCredentialsProvider\tis a word":                 "InstanceProfileCredentialsProvider",
		"": "",
	} {
		if got := instanceProvider(value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	for capability, reaches := range map[string]bool{
		"SYS_ADMIN": true, "CAP_SYS_ADMIN": true, "cap_net_admin": true, "all": true, "ALL": true, "BPF": true,
		"CHOWN": false, "NET_BIND_SERVICE": false, "SYS_PTRACE": false, "IPC_LOCK": false, "SYS_NICE": false, "": false, "CAP_CAP_SYS_ADMIN": false,
	} {
		if _, why := nodeCapability(capability); (why != "") != reaches {
			t.Errorf("%q reaches %q, want something: %t", capability, why, reaches)
		}
	}
}
