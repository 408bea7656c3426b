package emr

// releaseRows are the releases of EMR on EKS, newest first, each with the day (UTC,
// as the tags of its images have it) of its first image, or "" where it is not
// known. A new release is one new line at the top of its line of releases; one that
// is missing here counts as it stands among its neighbours by its number.
//
// Source: "Amazon EMR on EKS releases" in the development guide.
var releaseRows = [][2]string{
	{"emr-spark-8.1.0", "20260812"},
	{"emr-spark-8.0.0", ""},

	{"emr-7.14.0", ""},
	{"emr-7.13.0", "20260410"},
	{"emr-7.12.0", "20251111"},
	{"emr-7.11.0", "20251020"},
	{"emr-7.10.0", "20250801"},
	{"emr-7.9.0", "20250425"},
	{"emr-7.8.0", "20250228"},
	{"emr-7.7.0", "20250131"},
	{"emr-7.6.0", "20241213"},
	{"emr-7.5.0", ""},
	{"emr-7.4.0", ""},
	{"emr-7.3.0", "20240920"},
	{"emr-7.2.0", "20240610"},
	{"emr-7.1.0", ""},
	{"emr-7.0.0", ""},
	{"emr-6.15.0", ""},
	{"emr-6.14.0", ""},
	{"emr-6.13.0", ""},
	{"emr-6.12.0", ""},
	{"emr-6.11.0", ""},
	{"emr-6.10.0", ""},
	{"emr-6.9.0", ""},
	{"emr-6.8.0", ""},
	{"emr-6.7.0", ""},
	{"emr-6.6.0", ""},
	{"emr-6.5.0", ""},
	{"emr-6.4.0", ""},
	{"emr-6.3.0", ""},
	{"emr-6.2.0", ""},
	{"emr-5.36.0", ""},
	{"emr-5.35.0", ""},
	{"emr-5.34.0", ""},
	{"emr-5.33.0", ""},
	{"emr-5.32.0", ""},
}
