package object

import (
	"github.com/emrguard/emrguard/pkg/apis/spark"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/object/jobconf"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

func decodeApacheSparkApplication(o *Object, raw []byte) error {
	x, err := decodeParts[spark.ApacheApplication](o, raw)
	o.Job = &Job{}
	o.addTemplate(x.Spec.DriverSpec.PodTemplate, "spec.driverSpec.podTemplateSpec")
	o.addTemplate(x.Spec.ExecutorSpec.PodTemplate, "spec.executorSpec.podTemplateSpec")
	from := len(o.Settings)
	o.Settings = jobconf.AppendMap(o.Settings, x.Spec.SparkConf, "spec.sparkConf")
	for i, arg := range x.Spec.DriverArgs {
		o.Settings = jobconf.AppendTokens(o.Settings, arg, fieldpath.Index("spec.driverArgs", i))
	}
	o.addConfigured(o.Settings[from:])
	// The operator hands settings and templates to Spark itself, and writes its own
	// namespace over the settings' (SparkAppSubmissionWorker.buildDriverConf).
	setting := sparkAccountSetting(x.Spec.SparkConf, "spec.sparkConf")
	driver := [][]named{{setting("driver.serviceAccountName")}, templateAccounts(x.Spec.DriverSpec.PodTemplate, "spec.driverSpec.podTemplateSpec")}
	executor := append(templateAccounts(x.Spec.ExecutorSpec.PodTemplate, "spec.executorSpec.podTemplateSpec"), setting("executor.serviceAccountName"))
	o.runAs(podspec.RoleDriver, driver...)
	o.runAs(podspec.RoleExecutor, append([][]named{executor}, driver...)...)
	return err
}

func decodeApacheSparkCluster(o *Object, raw []byte) error {
	x, err := decodeParts[spark.ApacheCluster](o, raw)
	o.Job = &Job{}
	o.addTemplate(x.Spec.MasterSpec.StatefulSetSpec.Template, "spec.masterSpec.statefulSetSpec.template")
	o.addTemplate(x.Spec.WorkerSpec.StatefulSetSpec.Template, "spec.workerSpec.statefulSetSpec.template")
	from := len(o.Settings)
	o.Settings = jobconf.AppendMap(o.Settings, x.Spec.SparkConf, "spec.sparkConf")
	o.addConfigured(o.Settings[from:])
	o.runAs("master", templateAccounts(x.Spec.MasterSpec.StatefulSetSpec.Template, "spec.masterSpec.statefulSetSpec.template"))
	o.runAs("worker", templateAccounts(x.Spec.WorkerSpec.StatefulSetSpec.Template, "spec.workerSpec.statefulSetSpec.template"))
	return err
}
