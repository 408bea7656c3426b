// Package harness runs the real parts that the integration tests and the demo
// of emrguard stand on: etcd, kube-apiserver and kube-controller-manager as
// processes, the emrguard chart installed by Helm, the emrguard webhook as a
// process, and a webhook that does to Pods what EKS's pod identity webhook does.
//
// Nothing here pretends to be the API server: every answer that a test or the
// demo sees was given by kube-apiserver.
//
//	cp, err := harness.Start(ctx, harness.Options{})
//	defer cp.Stop()
//	err = cp.PrepareNamespace(ctx, "emr-jobs") // EMR's and the submitter's RBAC
//	chart, err := cp.InstallChart(ctx, map[string]any{
//		"emr": map[string]any{"namespaces": []any{"emr-jobs"}},
//	})
//	guard, err := cp.StartWebhook(ctx, chart)
//	err = guard.WaitForGuard(ctx, "emr-jobs", harness.Denied)
//	alice, err := cp.User(harness.Submitter, harness.SubmitterGroup)
//	answer, stored := alice.Create(ctx, pod) // answer.Verdict, .Message, .Warnings
//
// All files of one control plane are in one temporary folder. A small shell
// process watches over it: when the Go process ends in whatever way, SIGKILL
// included, the processes of that folder are ended and the folder is removed.
package harness
