package object

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The fields of `sparkoperator.k8s.io/v1beta2` that rules read, named as in the
// custom resource.
type sparkApplication struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              sparkSpec `json:"spec"`
}

type scheduledSparkApplication struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Template sparkSpec `json:"template"`
	} `json:"spec"`
}

type sparkSpec struct {
	Image      string            `json:"image"`
	SparkConf  map[string]string `json:"sparkConf"`
	HadoopConf map[string]string `json:"hadoopConf"`
	Volumes    []corev1.Volume   `json:"volumes"`
	Driver     sparkPod          `json:"driver"`
	Executor   sparkPod          `json:"executor"`
}

type sparkPod struct {
	Image              string                     `json:"image"`
	Annotations        map[string]string          `json:"annotations"`
	Labels             map[string]string          `json:"labels"`
	Env                []corev1.EnvVar            `json:"env"`
	EnvVars            map[string]string          `json:"envVars"`
	EnvFrom            []corev1.EnvFromSource     `json:"envFrom"`
	EnvSecretKeyRefs   map[string]sparkNameKey    `json:"envSecretKeyRefs"`
	Secrets            []sparkSecret              `json:"secrets"`
	ConfigMaps         []sparkSecret              `json:"configMaps"`
	VolumeMounts       []corev1.VolumeMount       `json:"volumeMounts"`
	HostNetwork        *bool                      `json:"hostNetwork"`
	ServiceAccount     *string                    `json:"serviceAccount"`
	SecurityContext    *corev1.SecurityContext    `json:"securityContext"`
	PodSecurityContext *corev1.PodSecurityContext `json:"podSecurityContext"`
	Sidecars           []corev1.Container         `json:"sidecars"`
	Lifecycle          *corev1.Lifecycle          `json:"lifecycle"`
	JavaOptions        string                     `json:"javaOptions"`
	InitContainers     []corev1.Container         `json:"initContainers"`
	Template           *corev1.PodTemplateSpec    `json:"template"`
}

type sparkNameKey struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

type sparkSecret struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

func decodeSparkApplication(o *Object, raw []byte) error {
	var x sparkApplication
	err := unmarshalParts(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.addSpark(&x.Spec, "spec")
	return err
}

func decodeScheduledSparkApplication(o *Object, raw []byte) error {
	var x scheduledSparkApplication
	err := unmarshalParts(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.addSpark(&x.Spec.Template, "spec.template")
	return err
}

func (o *Object) addSpark(s *sparkSpec, path string) {
	ranks := sparkAccounts(s, path) // before a stronger field takes the place of a template's
	for _, role := range sparkRoles {
		p := s.pod(role)
		o.addPod(p.pod(s, role, path))
		o.addTemplate(p.Template, path+"."+role+".template")
		o.Settings = appendTokens(o.Settings, p.JavaOptions, path+"."+role+".javaOptions")
	}
	from := len(o.Settings)
	o.Settings = appendMap(o.Settings, s.SparkConf, path+".sparkConf")
	o.Settings = appendMap(o.Settings, s.HadoopConf, path+".hadoopConf")
	o.addConfigured(o.Settings[from:])
	for _, role := range sparkRoles {
		o.runAs(role, ranks[role]...)
	}
	// The operator writes its own namespace before the user's settings, and spark-submit
	// takes the last value of a key (submission.go: namespaceOption, sparkConfOption).
	o.RunsIn = accountName(s.SparkConf["spark.kubernetes.namespace"])
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
func sparkAccounts(s *sparkSpec, path string) map[string][][]named {
	section := func(role string) named {
		field := named{path: path + "." + role + ".serviceAccount"}
		if account := s.pod(role).ServiceAccount; account != nil {
			field.name = *account
		}
		return field
	}
	setting := sparkAccountSetting(s.SparkConf, path+".sparkConf")
	template := func(role string) []named {
		return templateAccounts(s.pod(role).Template, path+"."+role+".template")
	}
	driver := [][]named{
		{section(roleDriver)},
		{setting("driver.serviceAccountName")},
		template(roleDriver),
		{setting("serviceAccountName")},
	}
	own := section(roleExecutor)
	if accountName(own.name) == "" {
		own.name = setting("executor.serviceAccountName").name
	}
	executor := append([][]named{append([]named{own, {path: setting("executor.serviceAccountName").path}}, template(roleExecutor)...)}, driver...)
	return map[string][][]named{roleDriver: driver, roleExecutor: executor}
}

// sparkAccountSetting finds the settings that name an account, by the ends of their
// keys.
func sparkAccountSetting(conf map[string]string, path string) func(end string) named {
	return func(end string) named {
		key := "spark.kubernetes.authenticate." + end
		return named{MapPath(path, key), conf[key]}
	}
}

// pod returns the section of a role.
func (s *sparkSpec) pod(role string) *sparkPod {
	if role == roleExecutor {
		return &s.Executor
	}
	return &s.Driver
}

// pod puts the pod together that the operator makes of the driver or executor
// section. Fields of the section carry the names of a container's fields, so
// the section is the path of its main container.
func (p *sparkPod) pod(s *sparkSpec, role, path string) Pod {
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
	added := make([]string, 0, len(p.EnvVars)+len(p.EnvSecretKeyRefs))
	for _, name := range sortedKeys(p.EnvVars) {
		main.Env = append(main.Env, corev1.EnvVar{Name: name, Value: p.EnvVars[name]})
		added = append(added, MapPath(section+".envVars", name))
	}
	for _, name := range sortedKeys(p.EnvSecretKeyRefs) {
		ref := &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: p.EnvSecretKeyRefs[name].Name}, Key: p.EnvSecretKeyRefs[name].Key}
		main.Env = append(main.Env, corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: ref}})
		added = append(added, MapPath(section+".envSecretKeyRefs", name))
	}
	ownMounts := len(main.VolumeMounts)
	var mounted []string
	mount := func(field string, list []sparkSecret, source func(string) corev1.VolumeSource) {
		for i, one := range list {
			spec.Volumes = append(spec.Volumes, corev1.Volume{Name: one.Name, VolumeSource: source(one.Name)})
			main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: one.Name, MountPath: one.Path})
			mounted = append(mounted, index(section+"."+field, i))
		}
	}
	mount("secrets", p.Secrets, func(name string) corev1.VolumeSource {
		return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}
	})
	mount("configMaps", p.ConfigMaps, func(name string) corev1.VolumeSource {
		return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}
	})
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
		where[&spec.Volumes[i]] = index(path+".volumes", i)
	}
	for i := range p.Sidecars {
		where[&spec.Containers[i+1]] = index(section+".sidecars", i)
	}
	for key := range p.Annotations {
		where[annotationKey(key)] = MapPath(section+".annotations", key)
	}
	where["serviceAccountName"] = section + ".serviceAccount"
	return Pod{
		Meta:     &metav1.ObjectMeta{Annotations: p.Annotations, Labels: p.Labels},
		Spec:     spec,
		MetaPath: section,
		SpecPath: section,
		Role:     role,
		where:    where,
	}
}
