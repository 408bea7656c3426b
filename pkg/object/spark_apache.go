package object

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The fields of `spark.apache.org/v1` that rules read (apache/spark-kubernetes-operator,
// spark-operator-api). The operator submits a SparkApplication with its configuration
// and its templates as Spark's pod template files; of a SparkCluster it makes two
// StatefulSets, whose containers get the configuration as options of the Java virtual
// machine. The ConfigMaps and Services that it makes besides are judged by themselves.
type apacheSparkApplication struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		SparkConf    map[string]string `json:"sparkConf"`
		DriverArgs   []string          `json:"driverArgs"`
		DriverSpec   apacheTemplate    `json:"driverSpec"`
		ExecutorSpec apacheTemplate    `json:"executorSpec"`
	} `json:"spec"`
}

type apacheTemplate struct {
	PodTemplate *corev1.PodTemplateSpec `json:"podTemplateSpec"`
}

type apacheSparkCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		SparkConf  map[string]string `json:"sparkConf"`
		MasterSpec apacheStatefulSet `json:"masterSpec"`
		WorkerSpec apacheStatefulSet `json:"workerSpec"`
	} `json:"spec"`
}

type apacheStatefulSet struct {
	StatefulSetSpec struct {
		Template *corev1.PodTemplateSpec `json:"template"`
	} `json:"statefulSetSpec"`
}

func decodeApacheSparkApplication(o *Object, raw []byte) error {
	var x apacheSparkApplication
	err := unmarshalParts(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.addTemplate(x.Spec.DriverSpec.PodTemplate, "spec.driverSpec.podTemplateSpec")
	o.addTemplate(x.Spec.ExecutorSpec.PodTemplate, "spec.executorSpec.podTemplateSpec")
	from := len(o.Settings)
	o.Settings = appendMap(o.Settings, x.Spec.SparkConf, "spec.sparkConf")
	for i, arg := range x.Spec.DriverArgs {
		o.Settings = appendTokens(o.Settings, arg, index("spec.driverArgs", i))
	}
	o.addConfigured(o.Settings[from:])
	// The operator hands settings and templates to Spark itself, and writes its own
	// namespace over the settings' (SparkAppSubmissionWorker.buildDriverConf).
	setting := sparkAccountSetting(x.Spec.SparkConf, "spec.sparkConf")
	driver := [][]named{{setting("driver.serviceAccountName")}, templateAccounts(x.Spec.DriverSpec.PodTemplate, "spec.driverSpec.podTemplateSpec")}
	executor := append(templateAccounts(x.Spec.ExecutorSpec.PodTemplate, "spec.executorSpec.podTemplateSpec"), setting("executor.serviceAccountName"))
	o.runAs(roleDriver, driver...)
	o.runAs(roleExecutor, append([][]named{executor}, driver...)...)
	return err
}

func decodeApacheSparkCluster(o *Object, raw []byte) error {
	var x apacheSparkCluster
	err := unmarshalParts(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.addTemplate(x.Spec.MasterSpec.StatefulSetSpec.Template, "spec.masterSpec.statefulSetSpec.template")
	o.addTemplate(x.Spec.WorkerSpec.StatefulSetSpec.Template, "spec.workerSpec.statefulSetSpec.template")
	from := len(o.Settings)
	o.Settings = appendMap(o.Settings, x.Spec.SparkConf, "spec.sparkConf")
	o.addConfigured(o.Settings[from:])
	o.runAs("master", templateAccounts(x.Spec.MasterSpec.StatefulSetSpec.Template, "spec.masterSpec.statefulSetSpec.template"))
	o.runAs("worker", templateAccounts(x.Spec.WorkerSpec.StatefulSetSpec.Template, "spec.workerSpec.statefulSetSpec.template"))
	return err
}
