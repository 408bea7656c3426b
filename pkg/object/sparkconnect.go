package object

import (
	"github.com/emrguard/emrguard/pkg/apis/spark"
	"github.com/emrguard/emrguard/pkg/object/jobconf"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

func decodeSparkConnect(o *Object, raw []byte) error {
	x, err := decodeParts[spark.Connect](o, raw)
	o.Job = &Job{}
	o.addTemplate(x.Spec.Server.Template, "spec.server.template")
	o.addTemplate(x.Spec.Executor.Template, "spec.executor.template")
	from := len(o.Settings)
	o.Settings = jobconf.AppendMap(o.Settings, x.Spec.SparkConf, "spec.sparkConf")
	o.Settings = jobconf.AppendMap(o.Settings, x.Spec.HadoopConf, "spec.hadoopConf")
	if x.Spec.Image != "" {
		o.Settings = append(o.Settings, jobconf.At(spark.ImageKey, x.Spec.Image, "spec.image"))
	}
	o.addConfigured(o.Settings[from:])
	setting := sparkAccountSetting(x.Spec.SparkConf, "spec.sparkConf")
	server := [][]named{templateAccounts(x.Spec.Server.Template, "spec.server.template"), {setting("driver.serviceAccountName")}}
	executor := append(templateAccounts(x.Spec.Executor.Template, "spec.executor.template"), setting("executor.serviceAccountName"))
	o.runAs(podspec.RoleDriver, server...)
	o.runAs(podspec.RoleExecutor, append([][]named{executor}, server...)...)
	return err
}
