package limit

import "time"

// What the webhook server lets requests cost. The API server sends an object as
// JSON in which `<`, `>` and `&` take six bytes, and at an UPDATE the old object
// as well. It takes no request above 3 MiB itself, and etcd none above 1.5 MiB.
const (
	// Connections that are open at a time. An API server opens one
	// for each request that it waits for, and keeps 25 for the next ones; it works on
	// 600 requests at a time by default, of which few reach a webhook.
	Connections = 1024
	// Header is the largest header of a request. An API server's has 300 bytes.
	Header = 16 << 10
	// HeaderTime is how long a handshake, and a header, may take: longer than the
	// API server waits (3 s).
	HeaderTime = 5 * time.Second
	// IdleTime is longer than the 90 s after which an API server closes a connection:
	// if this side did it, a request could be on its way.
	IdleTime = 2 * time.Minute

	// Body is the largest review that is read whole: two objects of 3 MiB, escaped
	// sixfold, and an envelope. Test: TestLargestBodies of test/integration.
	Body = 37 << 20
	// Envelope bounds what a review holds beside its objects: names, and the groups
	// of whoever asks, which come from the headers of a request (1 MiB at most).
	Envelope = 2 << 20
	// Drain bounds what is read and thrown away, so that whoever sent too much is
	// there for the answer.
	Drain = 256 << 20

	// SmallBody is the largest review that is read beside others. Reviews of Pods
	// are of 10 to 40 KiB. Larger ones are read and judged one at a time, so that
	// the largest of them is the most that they cost together.
	SmallBody = 128 << 10
	// SmallBodies bounds the bytes of small reviews that are in flight.
	SmallBodies = 8 << 20
	// SmallDecoded is the largest object, decoded, that is judged beside others, and
	// SmallJudged what all of them may take together: about 90 Pods at a time.
	SmallDecoded = 1 << 20
	SmallJudged  = 16 << 20
	// Decoded is the most memory that the objects of one review may take once they are
	// decoded. It is estimated from their JSON: `{}` in a list becomes a container
	// of 800 bytes. The largest objects raise the memory of a process by 51 MiB: test
	// TestLargestObjects of test/integration.
	Decoded = 48 << 20

	// Collect is what a large request may leave behind without a collection of garbage at
	// its end.
	Collect = 4 << 20

	// Wait is the share of a request's time for which it may wait for its turn.
	Wait = 0.5
	// SlowBody and BodyRate say which body is slow: it takes more than SlowBody, and
	// the time for its bytes at BodyRate (bytes a second). A slow body gives way to a
	// request that waits.
	SlowBody = 250 * time.Millisecond
	BodyRate = 16 << 20
	// Request is the most time for one request, whatever its sender says: the API
	// server waits for 30 s at most.
	Request = 30 * time.Second
)
