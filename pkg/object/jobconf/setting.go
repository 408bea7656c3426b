// Package jobconf reads the Spark, Hadoop and Flink configuration of jobs wherever it
// stands, and makes the pods that it describes, so that rules judge them like all others.
package jobconf

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

// Setting is one entry of a Spark, Hadoop or Flink configuration that an object
// carries.
type Setting struct {
	// Key as the consumer knows it: a Hadoop key has lost its "spark.hadoop."
	// prefix.
	Key string
	// Value as it is written. It may be a secret: never print it.
	Value string
	// Open is true when a part of the key is the value of a variable that is not
	// known, such as one from a Secret: the key can be any that fits.
	Open bool
	// path of the setting, made only when somebody asks.
	base string
	key  string
}

// Path is the field path of the setting, such as `spec.sparkConf[spark.x]` or
// `spec.containers[0].args[3]`.
func (s Setting) Path() string {
	if s.key == "" {
		return s.base
	}
	return fieldpath.Key(s.base, s.key)
}

const hadoopPrefix = "spark.hadoop."

// maxNesting is how many command lines inside command lines are read.
const maxNesting = 3

// isJavaOptions reports whether the value of a setting is a list of options of
// a Java virtual machine, which define properties with -D.
func isJavaOptions(key string) bool {
	return strings.HasPrefix(key, "env.java.opts") ||
		strings.HasPrefix(key, "spark.") && (strings.HasSuffix(key, ".extraJavaOptions") || strings.HasSuffix(key, ".defaultJavaOptions"))
}

// At is a setting that a field of its own holds, at that path.
func At(key, value, path string) Setting { return Setting{Key: key, Value: value, base: path} }

// Append adds the entry with that key of the map at path, and those that hide in its
// value.
func Append(list []Setting, key, value, path string) []Setting {
	return appendSetting(list, key, value, path, key, maxNesting)
}

// appendSetting adds one entry, and those that hide in its value.
func appendSetting(list []Setting, key, value, base, pathKey string, depth int) []Setting {
	list = append(list, Setting{
		Key: unmark.Replace(strings.TrimPrefix(key, hadoopPrefix)), Value: unmark.Replace(value), Open: strings.Contains(key, openMark),
		base: base, key: pathKey,
	})
	if depth > 0 && isJavaOptions(key) {
		path := base
		if pathKey != "" {
			path = fieldpath.Key(base, pathKey)
		}
		list = appendNested(list, value, path, depth-1)
	}
	return list
}

// AppendMap adds all entries of the map at path.
func AppendMap(list []Setting, settings map[string]string, path string) []Setting {
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		list = Append(list, key, settings[key], path)
	}
	return list
}

// AppendContainers adds the configuration in what the containers of a pod run, its
// variables written out: `--conf key=value`, `--conf=key=value`, `-Dkey=value`, also
// inside a shell command, and in the variables from which a Java virtual machine and
// spark-submit take more arguments.
func AppendContainers(list []Setting, p *podspec.Pod) []Setting {
	for c := range p.Containers() {
		open := &opens{pod: p, c: c}
		for path, s := range c.Strings() {
			if mayHoldSetting(s) {
				list = AppendTokens(list, open.mark(s), path())
			}
		}
		for i := range c.Env {
			e := &c.Env[i]
			switch {
			case e.Name == "FLINK_PROPERTIES": // lines for Flink's configuration file
				for _, kv := range javaProperties(e.Value) {
					list = appendSetting(list, kv.Key, kv.Value, c.EnvPath(i), "", maxNesting)
				}
			case isOptions(e.Name) && mayHoldSetting(e.Value):
				list = AppendTokens(list, open.mark(e.Value), c.EnvPath(i))
			}
		}
	}
	return list
}

// isOptions reports whether a program reads more of its command line from the
// variable: JAVA_TOOL_OPTIONS, SPARK_SUBMIT_OPTS, PYSPARK_SUBMIT_ARGS,
// FLINK_ENV_JAVA_OPTS_JM, HADOOP_CLIENT_OPTS, and SPARK_JAVA_OPT_<n>, which Spark's
// entry point hands to the virtual machine of an executor.
func isOptions(name string) bool {
	return strings.Contains(name, "JAVA_OPT") || strings.HasSuffix(name, "_OPTS") || strings.HasSuffix(name, "_OPTIONS") || strings.HasSuffix(name, "_ARGS")
}

// mayHoldSetting is a cheap test that spares most arguments the reading.
func mayHoldSetting(s string) bool {
	return strings.IndexByte(s, '=') > 0 && (strings.IndexByte(s, '.') >= 0 || strings.Contains(s, "$("))
}

// AppendTokens reads `key=value` words, with or without `--conf=` or `-D` before
// them. Only keys with a dot count: every key of Spark, Hadoop and Flink that a
// rule knows has one.
func AppendTokens(list []Setting, s, path string) []Setting {
	return appendNested(list, s, path, maxNesting)
}

// appendNested reads words that are command lines themselves (`sh -c "a --conf
// b=c"`) as well, to the given depth: the bound keeps the work linear.
func appendNested(list []Setting, s, path string, depth int) []Setting {
	for _, word := range words(s) {
		setting := strings.TrimPrefix(strings.TrimPrefix(word, "--conf="), "-D")
		key, value, ok := strings.Cut(setting, "=")
		switch {
		case ok && isSettingKey(key):
			list = appendSetting(list, key, value, path, "", depth)
		case depth > 0 && strings.ContainsAny(word, " \t\n\"'") && mayHoldSetting(word):
			list = appendNested(list, word, path, depth-1)
		}
	}
	return list
}

func isSettingKey(s string) bool {
	if strings.IndexByte(s, '.') <= 0 && !strings.Contains(s, openMark) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '.', c == '_', c == '-', c == '/', c == openMark[0], c == closeMark[0]:
		default:
			return false
		}
	}
	return true
}

// words splits a command line into words, roughly as a shell does: quotes keep
// blanks together and are dropped, a backslash keeps the next character.
func words(s string) []string {
	if !strings.ContainsAny(s, " \t\r\n\\\"'`;&|()") {
		return []string{s}
	}
	var (
		list  []string
		b     strings.Builder
		quote rune
		in    bool
	)
	end := func() {
		if in {
			list = append(list, b.String())
			b.Reset()
			in = false
		}
	}
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			escaped = false
			if r != '\n' { // an escaped line break joins two lines
				b.WriteRune(r)
				in = true
			}
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			b.WriteRune(r)
			in = true
		case r == '"' || r == '\'':
			quote, in = r, true
		case strings.ContainsRune(" \t\r\n`;&|()", r):
			end()
		default:
			b.WriteRune(r)
			in = true
		}
	}
	end()
	return list
}

// OfConfigMap reads the ConfigMap in which EMR hands a job's Spark properties to the
// driver. Other ConfigMaps have no settings.
func OfConfigMap(cm *corev1.ConfigMap) []Setting {
	var list []Setting
	if cm.Labels[emr.LabelJobConfiguration] != "spark-defaults" && !emr.IsSparkDefaultsName(cm.Name) {
		return nil
	}
	read := func(path, text string) {
		for _, kv := range javaProperties(text) {
			list = Append(list, kv.Key, kv.Value, path)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(cm.Data)) {
		read(fieldpath.Key("data", file), cm.Data[file])
	}
	for _, file := range slices.Sorted(maps.Keys(cm.BinaryData)) { // mounted like the others
		read(fieldpath.Key("binaryData", file), string(cm.BinaryData[file]))
	}
	return list
}

// AccountName takes blanks and quotes off that the way through a file of settings
// drops; no ServiceAccount has them in its name.
func AccountName(s string) string { return strings.Trim(s, " \t\r\n\"'") }

// OverridesPath is the path of a classification in the configurationOverrides of a
// JobRun.
func OverridesPath(classification string) string {
	return fieldpath.Key("spec.configurationOverrides", classification)
}
