package credentials

import "testing"

func TestSettingsOfKeys(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"fs.s3.awsAccessKeyId":                             true,
		"fs.s3a.access.key":                                true,
		"fs.s3a.bucket.raw.secret.key":                     true,
		"spark.hadoop.fs.s3a.session.token":                true,
		"s3.access-key":                                    true,
		"spark.sql.catalog.lake.s3.secret-access-key":      true,
		"hive.s3.aws-access-key":                           true,
		"aws.profile":                                      true,
		"AWS.SharedCredentialsFile":                        true,
		"aws.credentials.provider.profile.path":            true,
		"fs.s3a.security.credential.provider.path":         true,
		"fs.s3a.endpoint":                                  false,
		"fs.azure.account.key":                             false,
		"spark.ssl.keyPassword":                            false,
		"my.accessKey":                                     false,
		"spark.kubernetes.driver.label.aws.access.key":     false, // it describes a pod, which is judged
		"spark.kubernetes.driverEnv.AWS_SECRET_ACCESS_KEY": false,
		"containerized.master.env.AWS_ACCESS_KEY_ID":       false,
		"fs.s3a.server-side-encryption.key":                false,
		"spark.sql.catalog.lake.glue.secretaccesskey":      true,
		"hadoop.security.credential.provider.path":         false, // of all of Hadoop: a finding of its own
		"": false,
	} {
		if got := isStaticSetting(key); got != want {
			t.Errorf("%q: %t, want %t", key, got, want)
		}
	}
}

func TestSettingsOfRoles(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"fs.s3a.assumed.role.arn":                       true,
		"s3.assumed.role.arn":                           true,
		"spark.sql.catalog.lake.client.assume-role.arn": true,
		"s3.iam-role":                                   true,
		"aws.rolearn":                                   true,
		"fs.s3a.assumed.role.session.name":              false,
		"redshift.iam_role":                             false,
		"my.role.arn":                                   false,
	} {
		if got := isRoleSetting(key); got != want {
			t.Errorf("%q: %t, want %t", key, got, want)
		}
	}
}

// Of a name that contains a variable, only what stands before it is known.
func TestSettingsThatMayBecomeOnesOfKeys(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"$(NAME)": true, "spark.$(NAME)": true, "fs.s3a.$(NAME)": true, "spark.hadoop.fs.$(NAME)": true,
		"spark.app.$(NAME)": false, "spark.eventLog.$(NAME)": false, "log4j.$(NAME)": false,
	} {
		if got := mayBecomeStatic(key); got != want {
			t.Errorf("%q: %t, want %t", key, got, want)
		}
	}
}

func TestPathsOfCredentials(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/root/.aws": true, "/home/hadoop/.aws/credentials": true, "/root/x/../.aws/": true, "/meta/aws-iam": true, "/meta//aws-iam/token": true, ".aws/config": true,
		"/root/.awsome": false, "/root/aws": false, "/meta/aws-iam-2": false, "/root/.aws/..": false, "/x/meta/aws-iam": false, "": false,
	} {
		if got := holdsCredentials(path); got != want {
			t.Errorf("%q: %t, want %t", path, got, want)
		}
	}
}

func TestNamesOfAgents(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"jtblin/kube2iam:0.11": "kube2iam", "quay.io/uswitch/kiam": "kiam", "registry:5000/kiam-agent@sha256:aa": "kiam", "kube2iam-arm64": "kube2iam",
		"example.com/kiam/server": "", "kiamish:1": "", "my-kube2iam": "", "": "",
	} {
		if got := agentName(imageName(image)); got != want {
			t.Errorf("%q: %q, want %q", image, got, want)
		}
	}
}
