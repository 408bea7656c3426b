package live

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// connection is a client with a TCP connection of its own. Clients of one
// configuration share theirs otherwise, and one that hangs hangs them all.
type connection struct {
	kubernetes.Interface

	rest rest.Interface
	http *http.Client
}

// connect makes a connection. Dialling gives up early: who dials while the network is
// gone wants to try again as soon as it is back.
func connect(config *rest.Config) (*connection, error) {
	own := rest.CopyConfig(config)
	own.ContentType, own.AcceptContentTypes = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf+","+runtime.ContentTypeJSON
	own.Dial = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	client, err := rest.HTTPClientFor(own)
	if err != nil {
		return nil, fmt.Errorf("make a client of the API server: %w", err)
	}
	clientset, err := kubernetes.NewForConfigAndClient(own, client)
	if err != nil {
		return nil, fmt.Errorf("make a client of the API server: %w", err)
	}
	return &connection{Interface: clientset, rest: clientset.CoreV1().RESTClient(), http: client}, nil
}

// close gives the connection back once its requests have ended. It does nothing for
// nil.
func (c *connection) close() {
	if c != nil {
		c.http.CloseIdleConnections()
	}
}
