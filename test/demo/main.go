// Command demo shows emrguard at work on a real control plane: it starts etcd,
// kube-apiserver and kube-controller-manager, installs the chart, starts the
// webhook, sends requests as the people and services that send them on EKS, and
// prints what the API server answered.
//
//	go run ./test/demo          the demonstration; ends by itself
//	go run ./test/demo --keep   leaves a guarded cluster running, with kubeconfigs
//	go run ./test/demo --down   ends it
//
// The exit code is 0 when every answer was as the guide demands, 1 otherwise.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// errUnexpected says that the API server answered otherwise than expected, which
// has been reported already.
var errUnexpected = errors.New("not every answer was as the guide demands")

func main() { os.Exit(run()) }

// run returns the exit code.
func run() int {
	var keep, down, serve bool
	flag.BoolVar(&keep, "keep", false, "leave a guarded cluster running until --down")
	flag.BoolVar(&down, "down", false, "end what --keep has left running")
	flag.BoolVar(&serve, "serve", false, "be the process that --keep starts in the background (internal)")
	flag.Parse()
	// envtest would otherwise complain on the terminal that nobody wants its log.
	ctrllog.SetLogger(logr.Discard())

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case flag.NArg() > 0:
		err = fmt.Errorf("unknown argument %q", flag.Arg(0))
	case down:
		err = runDown(ctx)
	case serve:
		err = runServe(ctx)
	case keep:
		err = runKeep(ctx)
	default:
		err = runDemo(ctx)
	}
	if err == nil {
		return 0
	}
	if ctx.Err() != nil {
		fmt.Fprintf(os.Stderr, "demo: interrupted, everything is stopped (%v)\n", err)
	} else {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
	}
	return 1
}
