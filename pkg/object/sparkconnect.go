package object

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The fields of `sparkoperator.k8s.io/v1alpha1` SparkConnect that rules read
// (kubeflow/spark-operator, api/v1alpha1). The operator makes the server's pod of its
// template, and starts the server with the configuration and the executors' template:
// the server is the driver.
type sparkConnect struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Image      string            `json:"image"`
		SparkConf  map[string]string `json:"sparkConf"`
		HadoopConf map[string]string `json:"hadoopConf"`
		Server     sparkConnectPod   `json:"server"`
		Executor   sparkConnectPod   `json:"executor"`
	} `json:"spec"`
}

type sparkConnectPod struct {
	Template *corev1.PodTemplateSpec `json:"template"`
}

func decodeSparkConnect(o *Object, raw []byte) error {
	var x sparkConnect
	err := unmarshalParts(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.addTemplate(x.Spec.Server.Template, "spec.server.template")
	o.addTemplate(x.Spec.Executor.Template, "spec.executor.template")
	from := len(o.Settings)
	o.Settings = appendMap(o.Settings, x.Spec.SparkConf, "spec.sparkConf")
	o.Settings = appendMap(o.Settings, x.Spec.HadoopConf, "spec.hadoopConf")
	if x.Spec.Image != "" {
		o.Settings = append(o.Settings, Setting{Key: sparkImageKey, Value: x.Spec.Image, base: "spec.image"})
	}
	o.addConfigured(o.Settings[from:])
	setting := sparkAccountSetting(x.Spec.SparkConf, "spec.sparkConf")
	server := [][]named{templateAccounts(x.Spec.Server.Template, "spec.server.template"), {setting("driver.serviceAccountName")}}
	executor := append(templateAccounts(x.Spec.Executor.Template, "spec.executor.template"), setting("executor.serviceAccountName"))
	o.runAs(roleDriver, server...)
	o.runAs(roleExecutor, append([][]named{executor}, server...)...)
	return err
}

// sparkImageKey is the setting by which Spark takes the image of driver and executors.
const sparkImageKey = "spark.kubernetes.container.image"
