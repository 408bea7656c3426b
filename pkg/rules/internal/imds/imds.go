// Package imds recognises EC2's instance metadata service: its addresses and names in
// every spelling that something resolves, and the variables and settings that move it.
package imds

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Variables are the variables that move the metadata service.
var Variables = []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"}

// Change is what a variable or a setting does to the metadata service of an SDK.
type Change int

// The changes.
const (
	None     Change = iota
	Endpoint        // it names another endpoint than loopback
	Mode            // it chooses the protocol, which only users of the service need
)

// InVariable tells what a variable does to the metadata service.
func InVariable(e *corev1.EnvVar) Change {
	switch e.Name {
	case "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE":
		return Mode
	case "AWS_EC2_METADATA_SERVICE_ENDPOINT":
		if e.ValueFrom != nil || !isLoopback(e.Value) {
			return Endpoint
		}
	}
	return None
}

// InSetting is InVariable for the system properties of the SDKs for Java.
func InSetting(key, value string) Change {
	switch strings.ToLower(key) {
	case "aws.ec2metadataserviceendpointmode":
		return Mode
	case "aws.ec2metadataserviceendpoint", "com.amazonaws.sdk.ec2metadataserviceendpointoverride":
		if !isLoopback(value) {
			return Endpoint
		}
	}
	return None
}

func isLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback()
}

// The addresses of the instance metadata service. Those of the agent of EKS Pod
// Identity (169.254.170.23, fd00:ec2::23) and of ECS (169.254.170.2) are not among
// them: the first is how a pod gets its own role, the second is not on EKS.
var (
	metadataIPv4 = netip.AddrFrom4([4]byte{169, 254, 169, 254})
	metadataIPv6 = netip.MustParseAddr("fd00:ec2::254")
)

// IsHost reports whether a host of a URL, a probe or a command is the
// metadata service: its address in any spelling that resolvers take, its names in
// EC2's DNS, and names of public DNS that spell the address out.
func IsHost(host string) bool {
	h := strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if h == "instance-data" || strings.HasPrefix(h, "instance-data.") && (strings.HasSuffix(h, ".internal") || strings.HasSuffix(h, ".amazonaws.com")) {
		return true
	}
	if strings.Contains("."+h+".", ".169.254.169.254.") || strings.Contains(h, "169-254-169-254") {
		return true
	}
	if ip, err := netip.ParseAddr(h); err == nil {
		ip = ip.WithZone("").Unmap()
		return ip == metadataIPv4 || ip == metadataIPv6 || embedded(ip) == metadataIPv4
	}
	return looseIPv4(h) == metadataIPv4
}

// embedded is the IPv4 address in an IPv6 address of NAT64 or of the old
// compatible form.
func embedded(ip netip.Addr) netip.Addr {
	if !ip.Is6() {
		return netip.Addr{}
	}
	b := ip.As16()
	for _, prefix := range []netip.Prefix{netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("::/96")} {
		if prefix.Contains(ip) {
			return netip.AddrFrom4([4]byte(b[12:]))
		}
	}
	return netip.Addr{}
}

// looseIPv4 reads the spellings of inet_aton, which resolvers of C take: one to four
// numbers, each decimal, octal (0…) or hexadecimal (0x…), the last one filling the
// rest of the address. The zero Addr stands for everything else.
func looseIPv4(s string) netip.Addr {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}
	}
	var address uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 0, 32)
		if err != nil || strings.Contains(part, "_") {
			return netip.Addr{}
		}
		rest := 4 - i // bytes that are left
		if i < len(parts)-1 {
			if n > 255 {
				return netip.Addr{}
			}
			address = address<<8 | n
			continue
		}
		if n >= 1<<(8*rest) {
			return netip.Addr{}
		}
		address = address<<(8*rest) | n
	}
	return netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)})
}

// inCommand returns the first host in a command that is the metadata service, or
// nothing.
func inCommand(command string) string {
	for word := range strings.FieldsFuncSeq(command, func(r rune) bool {
		return r != '.' && r != ':' && r != '-' && r != '[' && r != ']' &&
			(r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		for _, host := range []string{word, beforePort(word)} {
			// A lone name may be that of a directory too; in a URL it is a host.
			lone := host == "instance-data" && !strings.Contains(command, "//"+host)
			if IsHost(host) && !lone {
				return host
			}
		}
	}
	return ""
}

// beforePort drops a port from "host:80" and "[host]:80".
func beforePort(word string) string {
	if strings.HasPrefix(word, "[") {
		host, _, _ := strings.Cut(word[1:], "]")
		return host
	}
	host, _, _ := strings.Cut(word, ":")
	return host
}

// InHandler returns the host by which a probe or a hook asks the metadata service, and in
// which of its fields, or nothing. fromNode is true when the kubelet asks, from the node
// itself, where nothing stands between it and the service.
func InHandler(get *corev1.HTTPGetAction, tcp *corev1.TCPSocketAction, exec *corev1.ExecAction) (host, field string, fromNode bool) {
	switch {
	case get != nil && IsHost(get.Host):
		return get.Host, ".httpGet.host", true
	case tcp != nil && IsHost(tcp.Host):
		return tcp.Host, ".tcpSocket.host", true
	case exec != nil:
		for i, s := range exec.Command {
			if host := inCommand(s); host != "" {
				return host, ".exec.command[" + strconv.Itoa(i) + "]", false
			}
		}
	}
	return "", "", false
}
