package imds

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// The address of the metadata service in every spelling that something resolves.
func TestMetadataAddresses(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"169.254.169.254", "169.254.169.254.", "2852039166", "0xa9fea9fe", "0xA9.0xFE.0xA9.0xFE", "0251.0376.0251.0376", "025177524776",
		"169.16689662", "169.254.43518", "169.0xfe.0251.254", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "[fd00:ec2::254]",
		"FD00:0EC2::0254", "fd00:ec2::254%eth0", "64:ff9b::a9fe:a9fe", "::a9fe:a9fe", "instance-data", "Instance-Data.ec2.internal.",
		"instance-data.eu-central-1.compute.internal", "169.254.169.254.nip.io", "169-254-169-254.sslip.io",
	} {
		if !IsHost(host) {
			t.Errorf("%q is not known", host)
		}
	}
	for _, host := range []string{
		"", "169.254.169.253", "169.254.170.2", "169.254.170.23", "fd00:ec2::23", "fd00:ec2::253", "10.0.0.1", "localhost", "127.0.0.1", "::1",
		"2852039167", "instance-database", "instance-data.example.com", "1.2.3.4.5", "169.254", "example.com", "0x", "1_69.254.169.254",
	} {
		if IsHost(host) {
			t.Errorf("%q is taken for the metadata service", host)
		}
	}
	for command, want := range map[string]string{
		"curl http://169.254.169.254/latest":        "169.254.169.254",
		"curl -g http://[fd00:ec2::254]:80/latest":  "fd00:ec2::254",
		"nc 0xA9FEA9FE 80":                          "0xA9FEA9FE",
		"wget instance-data.ec2.internal:80/x":      "instance-data.ec2.internal",
		"cat </dev/tcp/169.254.169.254/80":          "169.254.169.254",
		"ls /mnt/instance-data":                     "",
		"curl http://169.254.170.23/v1/credentials": "",
		"echo 169.254.169.2540 1.169.254.1.2.3x":    "",
	} {
		if got := inCommand(command); got != want {
			t.Errorf("%q: got %q, want %q", command, got, want)
		}
	}
}

// Variables and settings may name no other endpoint than one of the Pod itself.
func TestMetadataEndpoints(t *testing.T) {
	t.Parallel()
	for address, fine := range map[string]bool{
		"http://localhost:8080": true, "http://127.0.0.1": true, "http://[::1]:80/": true, "http://127.8.8.8": true,
		"http://169.254.169.254": false, "http://localhost.example.com": false, "http://127.0.0.1@169.254.169.254": false, "": false, "localhost": false, "%": false,
	} {
		variable := corev1.EnvVar{Name: "AWS_EC2_METADATA_SERVICE_ENDPOINT", Value: address}
		want := Endpoint
		if fine {
			want = None
		}
		if got := InVariable(&variable); got != want {
			t.Errorf("the variable %q: %d, want %d", address, got, want)
		}
		if got := InSetting("aws.ec2MetadataServiceEndpoint", address); got != want {
			t.Errorf("the setting %q: %d, want %d", address, got, want)
		}
	}
	from := corev1.EnvVar{Name: "AWS_EC2_METADATA_SERVICE_ENDPOINT", ValueFrom: &corev1.EnvVarSource{}}
	mode := corev1.EnvVar{Name: "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", Value: "IPv6"}
	if InVariable(&from) != Endpoint || InVariable(&mode) != Mode || InSetting("AWS.ec2MetadataServiceEndpointMode", "") != Mode {
		t.Error("a value from elsewhere or a mode passes")
	}
	disabled := corev1.EnvVar{Name: "AWS_EC2_METADATA_DISABLED", Value: "true"}
	if got := InVariable(&disabled); got != None {
		t.Errorf("what keeps the SDKs from the service: %d", got)
	}
}

// A probe by network is sent by the kubelet; a command runs in the container.
func TestHandlers(t *testing.T) {
	t.Parallel()
	get := func(host string) *corev1.HTTPGetAction { return &corev1.HTTPGetAction{Host: host} }
	tcp := func(host string) *corev1.TCPSocketAction { return &corev1.TCPSocketAction{Host: host} }
	exec := func(command ...string) *corev1.ExecAction { return &corev1.ExecAction{Command: command} }
	for name, c := range map[string]struct {
		get         *corev1.HTTPGetAction
		tcp         *corev1.TCPSocketAction
		exec        *corev1.ExecAction
		host, field string
		fromNode    bool
	}{
		"HTTP":         {get: get("instance-data"), host: "instance-data", field: ".httpGet.host", fromNode: true},
		"TCP":          {tcp: tcp("0xa9fea9fe"), host: "0xa9fea9fe", field: ".tcpSocket.host", fromNode: true},
		"a command":    {exec: exec("sh", "-c", "curl 169.254.169.254:80/latest"), host: "169.254.169.254", field: ".exec.command[2]"},
		"HTTP itself":  {get: get("")},
		"TCP itself":   {tcp: tcp("localhost")},
		"true":         {exec: exec("true")},
		"no handler":   {},
		"gRPC or none": {get: nil, tcp: nil, exec: exec()},
	} {
		host, field, fromNode := InHandler(c.get, c.tcp, c.exec)
		if host != c.host || field != c.field || fromNode != c.fromNode {
			t.Errorf("%s: got %q in %q, from the node: %t", name, host, field, fromNode)
		}
	}
}
