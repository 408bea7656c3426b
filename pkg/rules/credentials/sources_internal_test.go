package credentials

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/emr"
)

// Settings by which pods take other credentials than those of EKS.
func TestSourcesInSettings(t *testing.T) {
	t.Parallel()
	for setting, want := range map[[2]string]bool{
		{"aws.webidentitytokenfile", emr.WebIdentityTokenFile}:                          false,
		{"aws.webidentitytokenfile", "/tmp/token"}:                                      true,
		{"aws.credentials.provider.webidentitytoken.file", ""}:                          true,
		{"aws.containercredentialspath", ""}:                                            true,
		{"aws.containercredentialsfulluri", emr.PodIdentityURIv4}:                       false,
		{"aws.containercredentialsfulluri", "http://localhost:8080"}:                    true,
		{"aws.containerauthorizationtokenfile", emr.PodIdentityTokenFile}:               false,
		{"aws.containerauthorizationtokenfile", emr.WebIdentityTokenFile}:               true,
		{"spark.kubernetes.driverEnv.AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://a/b"}: false, // a variable of a pod, which is judged
	} {
		source, other := sourceInSetting(setting[0], setting[1])
		if other != want || other && source == "" {
			t.Errorf("%q: from elsewhere than %q is %t, want %t", setting, source, other, want)
		}
	}
}
