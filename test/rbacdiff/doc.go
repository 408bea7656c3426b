// Package rbacdiff compares emrguard's RBAC resolver with the authorizer that
// kube-apiserver uses: k8s.io/kubernetes is imported here, and only here.
//
// Everything is random and repeatable: each case has a seed, and a difference is
// printed as the smallest world that still shows it.
package rbacdiff
