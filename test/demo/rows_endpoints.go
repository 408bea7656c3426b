package main

// endpointRows are Services and Ingresses through which code that runs with an
// execution role can be reached.
func endpointRows() []row {
	const rule = "endpoint-exposure"
	return []row{
		{
			"ben", "Livy's Service with the defaults of its chart: an internet-facing load balancer", endpoints, denied, rule, "",
			createFile(ben, "livy-service-public.yaml"),
		},
		{
			"ben", "the same with loadbalancer.internal, for the whole network", endpoints, warned, rule, "",
			createFile(ben, "livy-service-internal.yaml"),
		},
		{
			"ben", "the same with loadBalancerSourceRanges", endpoints, allowed, "", "",
			createFile(ben, "livy-service-limited.yaml"),
		},
		{
			"ben", "Service with the scheme internal, which the cloud provider does not read", endpoints, denied, rule, "",
			createFile(ben, "service-cloud-provider.yaml"),
		},
		{
			"ben", "Ingress annotated internet-facing", endpoints, denied, rule, "",
			createFile(ben, "ingress-public.yaml"),
		},
		{
			"ben", "Ingress annotated internal, of a class whose parameters say internet-facing", endpoints, denied, rule, "",
			createFile(ben, "ingress-class-public.yaml"),
		},
	}
}
