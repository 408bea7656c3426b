package emr_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/emr"
)

// TestImageIsEMRs proves which hosts and paths are EMR's: the account of the very
// region, every form of ECR's host, and nothing that only begins or ends like it.
func TestImageIsEMRs(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]bool{
		"755674844232.dkr.ecr.us-east-1.amazonaws.com/spark/emr-7.13.0:latest":        true,
		"755674844232.dkr.ecr.us-east-1.amazonaws.com:443/spark/emr-7.13.0:latest":    true,
		"755674844232.DKR.ECR.us-east-1.amazonaws.com/spark/emr-7.13.0:latest":        true,
		"755674844232.dkr.ecr-fips.us-east-1.amazonaws.com/spark/emr-7.13.0:latest":   true,
		"755674844232.dkr-ecr.us-east-1.on.aws/spark/emr-7.13.0:latest":               true,
		"755674844232.dkr-ecr-fips.us-east-1.on.aws/spark/emr-7.13.0:latest":          true,
		"068337069695.dkr.ecr.cn-north-1.amazonaws.com.cn/spark/emr-7.13.0:latest":    true,
		"068337069695.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn/spark/emr-7.0.0": true,
		"299385240661.dkr.ecr.us-gov-west-1.amazonaws.com/livy/emr-7.14.0":            true,
		"public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest":                           true,
		"ecr-public.aws.com/emr-on-eks/spark/emr-7.13.0:latest":                       true,

		"755674844232.dkr.ecr.eu-west-1.amazonaws.com/spark/emr-7.13.0:latest":          false, // another region's account
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/spark/emr-7.13.0:latest":          false,
		"755674844232.dkr.ecr.us-east-1.amazonaws.com.evil.com/spark/emr-7.13.0:latest": false,
		"755674844232.dkr.ecr.us-east-1.amazonaws.com:5000/spark/emr-7.13.0:latest":     false,
		"755674844232.dkr.ecr.us-east-1.amazonaws.com.cn/spark/emr-7.13.0:latest":       false, // China's domain elsewhere
		"068337069695.dkr.ecr.cn-north-1.amazonaws.com/spark/emr-7.13.0:latest":         false,
		"755674844232.dkr.ecr.us-east-1.on.aws/spark/emr-7.13.0:latest":                 false,
		"755674844232.dkr.ecr.x.us-east-1.amazonaws.com/spark/emr-7.13.0:latest":        false,
		"755674844232.dkr.ecr.mars-1.amazonaws.com/spark/emr-7.13.0:latest":             false,
		"evil.755674844232.dkr.ecr.us-east-1.amazonaws.com/spark/emr-7.13.0:latest":     false,
		"evil.com/755674844232.dkr.ecr.us-east-1.amazonaws.com/spark/emr-7.13.0:latest": false,
		"public.ecr.aws/emr-on-eks-evil/spark/emr-7.13.0:latest":                        false,
		"public.ecr.aws/emr-on-eks:latest":                                              false,
		"public.ecr.aws/evil/emr-on-eks/spark/emr-7.13.0:latest":                        false,
		"public.ecr.aws.evil.com/emr-on-eks/spark/emr-7.13.0:latest":                    false,
		"emr-on-eks/spark/emr-7.13.0:latest":                                            false, // Docker Hub
		"busybox":                                                                       false,
	} {
		i, err := emr.ParseImage(image)
		if err != nil {
			t.Errorf("%s: %v", image, err)
			continue
		}
		if got := i.IsEMRs(); got != want {
			t.Errorf("%s: EMR's is %v, want %v", image, got, want)
		}
	}
}

func TestParseImage(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]emr.Image{
		"busybox":                          {Host: "docker.io", Path: "library/busybox"},
		"team/etl:1":                       {Host: "docker.io", Path: "team/etl", Tag: "1"},
		"index.docker.io/team/etl":         {Host: "docker.io", Path: "team/etl"},
		"localhost/etl":                    {Host: "localhost", Path: "etl"},
		"registry:5000/etl:2":              {Host: "registry:5000", Path: "etl", Tag: "2"},
		"Registry.Example.com/etl":         {Host: "registry.example.com", Path: "etl"},
		"example.com/etl@" + digest:        {Host: "example.com", Path: "etl", Digest: digest},
		"example.com/etl:3@" + digest:      {Host: "example.com", Path: "etl", Tag: "3", Digest: digest},
		"example.com:443/etl@" + digest:    {Host: "example.com", Path: "etl", Digest: digest},
		"[2001:db8::1]:5000/etl@" + digest: {Host: "[2001:db8::1]:5000", Path: "etl", Digest: digest},
	} {
		got, err := emr.ParseImage(image)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", image, got, err, want)
		}
	}
	for _, image := range []string{
		"", " busybox", "https://example.com/etl", "user:secret@example.com/etl", "example.com./etl", "example.com/ETL", "example.com/etl:",
		"example.com/etl@sha256:12", "example.com/../etl", "${env:IMAGE}", "spark:{{SPARK_VERSION}}",
		"755674844232.dkr.ecr.us-east-1.amazonaws.com@evil.com/spark",
	} {
		if got, err := emr.ParseImage(image); err == nil {
			t.Errorf("%q was read as %+v", image, got)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error tells a password: %v", image, err)
		}
	}
}

func TestStamp(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest":                               "emr-7.13.0",
		"public.ecr.aws/emr-on-eks/spark/emr-7.13.0:20260410":                             "emr-7.13.0 20260410",
		"public.ecr.aws/emr-on-eks/spark/emr-7.13.0-20260410:latest":                      "emr-7.13.0 20260410",
		"public.ecr.aws/emr-on-eks/spark/emr-7.13.0-java17:latest":                        "emr-7.13.0",
		"public.ecr.aws/emr-on-eks/spark/emr-7.13.0-spark-rapids-java8-20260410":          "emr-7.13.0 20260410",
		"public.ecr.aws/emr-on-eks/spark/emr-spark-8.1.0:20260812":                        "emr-spark-8.1.0 20260812",
		"public.ecr.aws/emr-on-eks/spark/emr-spark-8.1.0-rapids-20260812:latest":          "emr-spark-8.1.0 20260812",
		"059004520145.dkr.ecr.ap-northeast-1.amazonaws.com/flink/emr-6.15.0-flink:latest": "emr-6.15.0",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/emr-6.5.0-tools:3":                  "emr-6.5.0",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/team/etl:emr-6.5.0-20240101":        "emr-6.5.0 20240101",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/emr-6.5.0/etl:emr-7.1.0":            "emr-6.5.0",
		"example.com/etl:20240229":                                                        "20240229",

		"example.com/etl:20230229":            "", // no such day
		"example.com/etl:20100101":            "", // a build number
		"example.com/etl:1.20240101":          "",
		"example.com/etl:v20240101":           "",
		"example.com/my-emr-6.5.0":            "",
		"example.com/emr-6.5:1":               "",
		"example.com/emr-6.5.0rc1:1":          "",
		"example.com/emr-spark-rapids:1":      "",
		"example.com/emr-99999.99999.99999:1": "",
	} {
		i, err := emr.ParseImage(image)
		if err != nil {
			t.Errorf("%s: %v", image, err)
			continue
		}
		if got := written(i.Stamp()); got != want {
			t.Errorf("%s: %q, want %q", image, got, want)
		}
	}
	for label, want := range map[string]string{
		"emr-7.13.0-latest":               "emr-7.13.0",
		"emr-7.13.0-20260410":             "emr-7.13.0 20260410",
		"EMR-7.13.0-latest":               "emr-7.13.0",
		"emr-7.13.0-flink-latest":         "emr-7.13.0",
		"emr-6.13.0-flink-20230814":       "emr-6.13.0 20230814",
		"emr-spark-8.1.0-latest":          "emr-spark-8.1.0",
		"emr-spark-8.1.0-rapids-20260812": "emr-spark-8.1.0 20260812",
		"latest":                          "",
		"":                                "",
	} {
		if got := written(emr.ReadLabel(label)); got != want {
			t.Errorf("label %s: %q, want %q", label, got, want)
		}
	}
}

func written(s emr.Stamp) string {
	var parts []string
	if s.HasRelease {
		parts = append(parts, s.Release.String())
	}
	if !s.Day.IsZero() {
		parts = append(parts, s.Day.Format("20060102"))
	}
	return strings.Join(parts, " ")
}

// TestReleaseTable proves that the table is what its comment says: every row can
// be read, and each line stands newest first.
func TestReleaseTable(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"emr-5.32.0", "emr-spark-8.0.0"} {
		r, err := emr.ParseRelease(first)
		if err != nil {
			t.Fatal(err)
		}
		if n, newest := r.Behind(); n == 0 || newest.Compare(r) <= 0 {
			t.Errorf("%s is %d behind %s", first, n, newest)
		}
	}
}

func TestBehind(t *testing.T) {
	t.Parallel()
	count := func(s string) int {
		r, err := emr.ParseRelease(s)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := r.Behind()
		return n
	}
	if got := count("emr-99.0.0") + count("emr-spark-99.0.0"); got != 0 {
		t.Errorf("a release newer than the table is %d behind", got)
	}
	if a, b, c := count("emr-7.8.0"), count("emr-7.8.1"), count("emr-7.9.0"); a != c+1 || b != c+1 {
		t.Errorf("emr-7.8.0 is %d behind, the unknown emr-7.8.1 %d, emr-7.9.0 %d", a, b, c)
	}
	if a, b := count("emr-6.15.0"), count("emr-7.0.0"); a != b+1 {
		t.Errorf("emr-6.15.0 is %d behind and emr-7.0.0 %d: they are one line", a, b)
	}
	if got := count("emr-spark-8.0.0"); got >= count("emr-5.32.0") {
		t.Errorf("emr-spark-8.0.0 is %d behind: it is a line of its own", got)
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	for entry, images := range map[string][2][]string{
		"registry.example.com": {
			{"registry.example.com/etl:1", "REGISTRY.example.com:443/etl", "registry.example.com/a/b/c"},
			{"registry.example.com.evil.com/etl", "registry.example.com:5000/etl", "evil.com/registry.example.com/etl", "evil-registry.example.com/etl", "sub.registry.example.com/etl"},
		},
		"Registry.example.com:5000/team/": {
			{"registry.example.com:5000/team/etl", "registry.example.com:5000/team"},
			{"registry.example.com:5000/team-evil/etl", "registry.example.com/team/etl", "registry.example.com:5000/other/team/etl"},
		},
		"*.dkr.ecr.us-east-1.amazonaws.com": {
			{"123456789012.dkr.ecr.us-east-1.amazonaws.com/etl"},
			{"a.b.dkr.ecr.us-east-1.amazonaws.com/etl", "123456789012.dkr.ecr.us-west-2.amazonaws.com/etl"},
		},
		"example.com/team-*/prod": {
			{"example.com/team-a/prod/etl"},
			{"example.com/team-a/dev/etl", "example.com/team-a/x/prod/etl", "example.com/team-a"},
		},
		"docker.io/library": {{"busybox", "docker.io/library/busybox@" + digest, "index.docker.io/busybox"}, {"evil/busybox"}},
	} {
		r, err := emr.ParseRegistry(entry)
		if err != nil {
			t.Fatal(err)
		}
		for i, list := range images {
			for _, image := range list {
				parsed, err := emr.ParseImage(image)
				if err != nil {
					t.Fatalf("%s: %v", image, err)
				}
				if got := r.Holds(parsed); got != (i == 0) {
					t.Errorf("%s holds %s: %v", entry, image, got)
				}
			}
		}
	}
	for _, entry := range []string{"", "busybox", "library/busybox", "https://example.com", "user@example.com", "example.com/etl:1", "example.com/etl@" + digest, "example.com//etl", "example.com/Team", "example..com"} {
		if _, err := emr.ParseRegistry(entry); err == nil {
			t.Errorf("%q was read as a registry", entry)
		}
	}
}

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// FuzzImage proves that no text makes the reading of images or labels fail in
// another way than by its error, and that what a name says lies within bounds.
func FuzzImage(f *testing.F) {
	f.Add("755674844232.dkr.ecr.us-east-1.amazonaws.com/spark/emr-7.13.0-java17:20260410")
	f.Add("emr-spark-8.1.0-rapids-latest")
	f.Add("user:pass@host:1/a@sha256:")
	f.Fuzz(func(t *testing.T, text string) {
		stamps := []emr.Stamp{emr.ReadLabel(text)}
		if i, err := emr.ParseImage(text); err == nil {
			stamps = append(stamps, i.Stamp())
			if i.Host == "" || i.Path == "" || i.Host != strings.ToLower(i.Host) {
				t.Errorf("%q is host %q, path %q", text, i.Host, i.Path)
			}
			if i.IsEMRs() && !strings.Contains(i.Host, "aws") {
				t.Errorf("%q is called EMR's", text)
			}
		}
		for _, s := range stamps {
			if s.HasRelease {
				if again, err := emr.ParseRelease(s.Release.String()); err != nil || again != s.Release {
					t.Errorf("%q: %s does not read back: %v", text, s.Release, err)
				}
			}
			if !s.Day.IsZero() && s.Day.Year() < 2014 {
				t.Errorf("%q: day %s", text, s.Day)
			}
		}
	})
}

// More images than are remembered, and ones too long for that, are read all the same,
// every time anew or not.
func TestManyImages(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 200)
	for range 2 {
		for i := range 1500 {
			path := fmt.Sprintf("team/etl-%d", i)
			if got, err := emr.ParseImage("example.com/" + path + ":1"); err != nil || got != (emr.Image{Host: "example.com", Path: path, Tag: "1"}) {
				t.Fatalf("%s: %+v, %v", path, got, err)
			}
		}
		if got, err := emr.ParseImage("example.com/" + long + "/x:" + long[:100]); err != nil || got.Tag != long[:100] {
			t.Errorf("a long reference: %+v, %v", got, err)
		}
	}
}
