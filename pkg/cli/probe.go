package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func newProbe() *cobra.Command {
	var url, caFile string
	cmd := &cobra.Command{
		Use:   "probe",
		Short: "Ask a running webhook about a Pod that breaks a rule",
		Long: "Posts one AdmissionReview of a Pod on the host network to the webhook, as the API server would.\n" +
			"Exit code 0 when the webhook refuses it, warns about it or records it; 1 when it says nothing.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := probe(cmd.Context(), url, caFile)
			if err != nil {
				return err
			}
			if found == "" {
				fmt.Fprintf(cmd.OutOrStdout(), "%s answered, but found nothing wrong with a Pod on the host network: is instance-profile-access off?\n", url)
				return errNo
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s judges: %s\n", url, found)
			return err
		},
	}
	cmd.Flags().StringVar(&url, "url", "https://127.0.0.1:9443/managed", "address of the webhook")
	cmd.Flags().StringVar(&caFile, "ca-file", "", "PEM file of the CA that signed the webhook's certificate")
	return cmd
}

func probe(ctx context.Context, url, caFile string) (string, error) {
	body, err := probeReview()
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return "", fmt.Errorf("--ca-file: %w", err)
	}
	if !roots.AppendCertsFromPEM(pem) {
		return "", fmt.Errorf("--ca-file %s holds no certificate", caFile)
	}
	client := &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("--url: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask the webhook: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read only
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the webhook answers %s: %s", resp.Status, bytes.TrimSpace(answer))
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(answer, &review); err != nil {
		return "", fmt.Errorf("the answer is no AdmissionReview: %w", err)
	}
	r := review.Response
	switch {
	case r == nil || r.UID != "emrguard-probe":
		return "", errors.New("the answer is not to this question")
	case !r.Allowed && r.Result != nil:
		return r.Result.Message, nil
	case len(r.Warnings) > 0:
		return r.Warnings[0], nil
	}
	return r.AuditAnnotations["audit"], nil
}

// probeReview is the question: a Pod on the host network, as a dry run.
func probeReview() ([]byte, error) {
	pod, err := json.Marshal(&corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: "emrguard-probe", Namespace: "emrguard-probe"},
		Spec:       corev1.PodSpec{HostNetwork: true, Containers: []corev1.Container{{Name: "probe", Image: "probe"}}},
	})
	if err != nil {
		return nil, fmt.Errorf("write the question: %w", err)
	}
	dryRun := true
	body, err := json.Marshal(&admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID:       "emrguard-probe",
			Kind:      metav1.GroupVersionKind{Version: "v1", Kind: "Pod"},
			Resource:  metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
			Name:      "emrguard-probe",
			Namespace: "emrguard-probe",
			Operation: admissionv1.Create,
			DryRun:    &dryRun,
			Object:    runtime.RawExtension{Raw: pod},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("write the question: %w", err)
	}
	return body, nil
}
