package images

import (
	"context"
	_ "embed" // the documentation of the rule
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time" //nolint:depguard // the names of formats; the clock is the engine's

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

const imageReleaseID = "image-release"

// What is too old without configuration.
const (
	defaultReleasesBehind = 6
	defaultMaxAge         = 180 // days
)

//go:embed image-release.md
var releaseDoc string

const newerRelease = "use a newer release with the tag or label `latest`, and build custom images on it"

// The messages say nothing that changes from day to day, or an old finding would look new.
var (
	belowMinimum = rule.Reason{
		Name: "below-minimum", Severity: rule.Medium,
		Message: "the %[1]s is of release %[2]s, older than %[3]s, the oldest one that is allowed", Remedy: newerRelease,
	}
	oldRelease = rule.Reason{
		Name: "old-release", Severity: rule.Medium,
		Message: "the %[1]s is of release %[2]s, %[3]s releases behind %[4]s", Remedy: newerRelease,
	}
	oldDate = rule.Reason{
		Name: "old-date", Severity: rule.Medium,
		Message: "the %[1]s is of %[2]s, more than %[3]s days ago", Remedy: newerRelease,
	}
)

// Release is the rule image-release.
//
// Guide, "Get the latest security updates for custom images": "Rebuild your custom
// images whenever there is a new version of the base image."
//
// Fields: those of image-registry, spec.releaseLabel of JobRuns and
// spec.emrReleaseLabel of FlinkDeployments.
//
// Allowed: what tells nothing of its age; releases that are newer than the table.
func Release() rule.Rule {
	return rule.Rule{
		ID:      imageReleaseID,
		Title:   "releases of EMR and dated images that are too old",
		Doc:     releaseDoc,
		Clauses: []guide.Clause{emr.ClauseImages},
		Reasons: []*rule.Reason{&oldRelease, &oldDate, &belowMinimum},
		Targets: targets.PodSpecs(),
		Parameters: []rule.Parameter{
			{Name: "minimum", Type: "list of releases", Doc: "The oldest release that may be used, one for each line: `[emr-7.9.0, emr-spark-8.0.0]`."},
			{Name: "maxReleasesBehind", Type: "number", Doc: "How many known releases of its line may be newer; 6 when absent."},
			{Name: "maxAge", Type: "number of days", Doc: "How old a dated image or label may be; 180 when absent."},
		},
		New: newImageRelease,
	}
}

// releaseLimits is what is too old.
type releaseLimits struct {
	minimum   []emr.Release
	maxBehind int
	maxAge    int // days
	settings  rule.Settings
}

func newImageRelease(s rule.Settings) (rule.Check, error) {
	var p struct {
		Minimum           []string `json:"minimum" syntax:"release"`
		MaxReleasesBehind *int     `json:"maxReleasesBehind" min:"0"`
		MaxAge            *int     `json:"maxAge" min:"1"`
	}
	if err := s.Decode(imageReleaseID, &p); err != nil {
		return nil, err
	}
	l := releaseLimits{maxBehind: defaultReleasesBehind, maxAge: defaultMaxAge, settings: s}
	for i, text := range p.Minimum {
		release, err := emr.ParseRelease(text)
		if err == nil && slices.ContainsFunc(l.minimum, release.SameLine) {
			err = fmt.Errorf("%s is the second one of its line: emr-5, emr-6 and emr-7 are one, emr-spark is another", text)
		}
		if err != nil {
			return nil, rule.ParameterError(imageReleaseID, fmt.Errorf("minimum[%d]: %w", i, err))
		}
		l.minimum = append(l.minimum, release)
	}
	if n := p.MaxReleasesBehind; n != nil {
		if l.maxBehind = *n; *n < 0 {
			return nil, rule.ParameterError(imageReleaseID, errors.New("maxReleasesBehind is negative: 0 allows the newest release alone"))
		}
	}
	if n := p.MaxAge; n != nil {
		if l.maxAge = *n; *n < 1 {
			return nil, rule.ParameterError(imageReleaseID, errors.New("maxAge is less than one day"))
		}
	}
	return l.check, nil
}

func (l *releaseLimits) check(_ context.Context, r *rule.Request, rep *rule.Report) error {
	if job := r.Object.Job; job != nil && job.ReleaseLabel != "" {
		l.judge(rep, emr.ReadLabel(job.ReleaseLabel), func() string { return "release label" }, job.ReleaseLabelPath)
	}
	for _, i := range imagesOf(r) {
		if i.err == nil {
			l.judge(rep, i.Stamp(), i.String, i.path)
		}
	}
	return nil
}

// judge finds what is too old.
func (l *releaseLimits) judge(rep *rule.Report, s emr.Stamp, what func() string, path string) {
	if s.HasRelease {
		if reason, args := l.tooOld(s.Release); reason != nil {
			rep.Add(rule.Finding{Reason: reason, Path: path, Args: append(rule.Args(what(), dated(s.Release)), args...)})
		}
	}
	if !s.Day.IsZero() && l.settings.Now().UTC().After(s.Day.AddDate(0, 0, l.maxAge)) {
		rep.Add(rule.Finding{Reason: &oldDate, Path: path, Args: rule.Args(what(), s.Day.Format(time.DateOnly), strconv.Itoa(l.maxAge))})
	}
}

// tooOld returns the reason why a release is too old, nil when it is not, and the
// arguments after the first two.
func (l *releaseLimits) tooOld(r emr.Release) (*rule.Reason, []string) {
	for _, minimum := range l.minimum {
		if minimum.SameLine(r) && r.Compare(minimum) < 0 {
			return &belowMinimum, rule.Args(minimum.String())
		}
	}
	behind, newest := r.Behind()
	if behind <= l.maxBehind {
		return nil, nil
	}
	return &oldRelease, rule.Args(strconv.Itoa(behind), newest.String())
}

// dated is a release with the day of its first image, where that is known.
func dated(r emr.Release) string {
	if day := r.FirstImage(); !day.IsZero() {
		return fmt.Sprintf("%s (first built on %s)", r, day.Format(time.DateOnly))
	}
	return r.String()
}
