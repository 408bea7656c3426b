package object

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/apis/spark"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/object/jobconf"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

func decodeSparkApplication(o *Object, raw []byte) error {
	x, err := decodeParts[spark.Application](o, raw)
	o.addSpark(&x.Spec, "spec")
	return err
}

func decodeScheduledSparkApplication(o *Object, raw []byte) error {
	x, err := decodeParts[spark.ScheduledApplication](o, raw)
	o.addSpark(&x.Spec.Template, "spec.template")
	return err
}

func (o *Object) addSpark(s *spark.Spec, path string) {
	// The operator writes its own namespace before the user's settings, and spark-submit
	// takes the last value of a key (submission.go: namespaceOption, sparkConfOption).
	o.Job = &Job{Namespace: jobconf.AccountName(s.SparkConf["spark.kubernetes.namespace"])}
	ranks := sparkAccounts(s, path) // before a stronger field takes the place of a template's
	for _, role := range []string{podspec.RoleDriver, podspec.RoleExecutor} {
		p := sparkSection(s, role)
		o.addPod(sparkPod(s, role, path))
		o.addTemplate(p.Template, path+"."+role+".template")
		o.Settings = jobconf.AppendTokens(o.Settings, p.JavaOptions, path+"."+role+".javaOptions")
	}
	from := len(o.Settings)
	o.Settings = jobconf.AppendMap(o.Settings, s.SparkConf, path+".sparkConf")
	o.Settings = jobconf.AppendMap(o.Settings, s.HadoopConf, path+".hadoopConf")
	o.addConfigured(o.Settings[from:])
	for _, role := range []string{podspec.RoleDriver, podspec.RoleExecutor} {
		o.runAs(role, ranks[role]...)
	}
}

// sparkAccounts ranks the fields that name the account of each pod, as Kubeflow's
// operator (submission.go: sparkConfOption, then driverConfOption) and Spark read
// them:
//
//   - the operator appends serviceAccount of the section to the user's sparkConf, and
//     spark-submit takes the last value of a key;
//   - DriverKubernetesCredentialsFeatureStep lets the setting go before the template;
//   - ExecutorKubernetesCredentialsFeatureStep lets the template go before the
//     settings, but some releases read only one of its two fields; without either, the
//     executors run as the driver's account.
func sparkAccounts(s *spark.Spec, path string) map[string][][]named {
	section := func(role string) named {
		field := named{path: path + "." + role + ".serviceAccount"}
		if account := sparkSection(s, role).ServiceAccount; account != nil {
			field.name = *account
		}
		return field
	}
	setting := sparkAccountSetting(s.SparkConf, path+".sparkConf")
	template := func(role string) []named {
		return templateAccounts(sparkSection(s, role).Template, path+"."+role+".template")
	}
	driver := [][]named{
		{section(podspec.RoleDriver)},
		{setting("driver.serviceAccountName")},
		template(podspec.RoleDriver),
		{setting("serviceAccountName")},
	}
	own := section(podspec.RoleExecutor)
	if jobconf.AccountName(own.name) == "" {
		own.name = setting("executor.serviceAccountName").name
	}
	executor := append([][]named{append([]named{own, {path: setting("executor.serviceAccountName").path}}, template(podspec.RoleExecutor)...)}, driver...)
	return map[string][][]named{podspec.RoleDriver: driver, podspec.RoleExecutor: executor}
}

// sparkAccountSetting finds the settings that name an account, by the ends of their
// keys.
func sparkAccountSetting(conf map[string]string, path string) func(end string) named {
	return func(end string) named {
		key := "spark.kubernetes.authenticate." + end
		return named{fieldpath.Key(path, key), conf[key]}
	}
}

// sparkSection returns the section of a role.
func sparkSection(s *spark.Spec, role string) *spark.Pod {
	if role == podspec.RoleExecutor {
		return &s.Executor
	}
	return &s.Driver
}

// sparkPod puts the pod together that the operator makes of the driver or executor
// section. Fields of the section carry the names of a container's fields, so
// the section is the path of its main container.
func sparkPod(s *spark.Spec, role, path string) podspec.Pod {
	p := sparkSection(s, role)
	section := path + "." + role
	where := map[any]string{}
	spec := &corev1.PodSpec{
		Volumes:         append([]corev1.Volume(nil), s.Volumes...),
		InitContainers:  p.InitContainers,
		SecurityContext: p.PodSecurityContext,
	}
	if p.HostNetwork != nil {
		spec.HostNetwork = *p.HostNetwork
	}
	if p.ServiceAccount != nil {
		spec.ServiceAccountName = *p.ServiceAccount
	}
	image, imageAt := p.Image, section+".image"
	if image == "" {
		image, imageAt = s.Image, path+".image"
	}
	main := corev1.Container{Name: role, Image: image, Env: p.Env, EnvFrom: p.EnvFrom, VolumeMounts: p.VolumeMounts, SecurityContext: p.SecurityContext, Lifecycle: p.Lifecycle}
	added := sparkVariables(&main, p, section)
	ownMounts := len(main.VolumeMounts)
	mounted := sparkMounts(spec, &main, p, section)
	spec.Containers = append([]corev1.Container{main}, p.Sidecars...)

	c := &spec.Containers[0]
	where[c] = section
	where[&c.Image] = imageAt
	for i, at := range added {
		where[&c.Env[len(c.Env)-len(added)+i]] = at
	}
	for i, at := range mounted {
		where[&c.VolumeMounts[ownMounts+i]] = at
		where[&spec.Volumes[len(s.Volumes)+i]] = at
	}
	for i := range s.Volumes {
		where[&spec.Volumes[i]] = fieldpath.Index(path+".volumes", i)
	}
	for i := range p.Sidecars {
		where[&spec.Containers[i+1]] = fieldpath.Index(section+".sidecars", i)
	}
	for key := range p.Annotations {
		where[podspec.AnnotationKey(key)] = fieldpath.Key(section+".annotations", key)
	}
	where["serviceAccountName"] = section + ".serviceAccount"
	return podspec.Pod{
		Meta:      &metav1.ObjectMeta{Annotations: p.Annotations, Labels: p.Labels},
		Spec:      spec,
		MetaPath:  section,
		SpecPath:  section,
		Role:      role,
		Elsewhere: where,
	}
}

// sparkVariables adds the variables of a section that are no list, and returns their
// paths.
func sparkVariables(main *corev1.Container, p *spark.Pod, section string) []string {
	added := make([]string, 0, len(p.EnvVars)+len(p.EnvSecretKeyRefs))
	for _, name := range slices.Sorted(maps.Keys(p.EnvVars)) {
		main.Env = append(main.Env, corev1.EnvVar{Name: name, Value: p.EnvVars[name]})
		added = append(added, fieldpath.Key(section+".envVars", name))
	}
	for _, name := range slices.Sorted(maps.Keys(p.EnvSecretKeyRefs)) {
		ref := &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: p.EnvSecretKeyRefs[name].Name}, Key: p.EnvSecretKeyRefs[name].Key}
		main.Env = append(main.Env, corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: ref}})
		added = append(added, fieldpath.Key(section+".envSecretKeyRefs", name))
	}
	return added
}

// sparkMounts adds the volumes of a section and their mounts, and returns the path of
// each, which is the same for both.
func sparkMounts(spec *corev1.PodSpec, main *corev1.Container, p *spark.Pod, section string) []string {
	var mounted []string
	mount := func(field string, list []spark.Mounted, source func(string) corev1.VolumeSource) {
		for i, one := range list {
			spec.Volumes = append(spec.Volumes, corev1.Volume{Name: one.Name, VolumeSource: source(one.Name)})
			main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: one.Name, MountPath: one.Path})
			mounted = append(mounted, fieldpath.Index(section+"."+field, i))
		}
	}
	mount("secrets", p.Secrets, func(name string) corev1.VolumeSource {
		return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}
	})
	mount("configMaps", p.ConfigMaps, func(name string) corev1.VolumeSource {
		return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}
	})
	return mounted
}
