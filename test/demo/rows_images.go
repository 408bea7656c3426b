package main

// imageRows run images that nobody keeps up to date.
func imageRows() []row {
	return []row{
		{
			"ben", "Pod of busybox, as from Docker Hub", customImages, warned, "image-registry image-mutable-tag", "",
			createFile(ben, "pod-busybox.yaml"),
		},
		{
			"ben", "Pod of EMR's account of us-east-1 in eu-west-1's ECR: somebody else's", customImages, warned, "image-registry image-mutable-tag", "",
			createFile(ben, "pod-other-region.yaml"),
		},
		{
			"ben", "SparkApplication of emr-6.5.0", customImages, warned, "image-release", "",
			createFile(ben, "sparkapplication-old-release.yaml"),
		},
		{
			"ben", "Pod of a custom image in the cluster's own ECR, by its tag", customImages, warned, "image-mutable-tag", "",
			createFile(ben, "pod-custom-tag.yaml"),
		},
		{
			"ben", "the same by its digest", customImages, allowed, "", "",
			createFile(ben, "pod-custom-digest.yaml"),
		},
	}
}
