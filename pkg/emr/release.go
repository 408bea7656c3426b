package emr

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time" //nolint:depguard // dates in tags are read; nobody asks for the time
)

// The lines of releases. Each has an order of its own.
const (
	lineEMR   = "emr"       // emr-5, emr-6 and emr-7
	lineSpark = "emr-spark" // emr-spark-8 and later
)

// Release is a release of EMR, such as emr-7.13.0 or emr-spark-8.1.0.
type Release struct {
	line    string
	version [3]int
}

// String is the release as EMR writes it.
func (r Release) String() string {
	return fmt.Sprintf("%s-%d.%d.%d", r.line, r.version[0], r.version[1], r.version[2])
}

// SameLine reports whether both are of one line, so that one may be called older
// than the other.
func (r Release) SameLine(other Release) bool { return r.line == other.line }

// Compare is negative when r is the older one of two releases of one line.
func (r Release) Compare(other Release) int {
	return slices.Compare(r.version[:], other.version[:])
}

// Behind counts the known releases of the line that are newer, and names the
// newest of them. A release that is newer than all that is known is behind none.
func (r Release) Behind() (count int, newest Release) {
	for _, known := range releases {
		if !known.SameLine(r) || known.Compare(r) <= 0 {
			continue
		}
		if count == 0 {
			newest = known.Release
		}
		count++
	}
	return count, newest
}

// ParseRelease reads `emr-X.Y.Z` or `emr-spark-X.Y.Z`, and nothing besides.
func ParseRelease(s string) (Release, error) {
	r, rest, ok := cutRelease(s)
	if !ok || rest != "" {
		return Release{}, fmt.Errorf("%q is no release such as emr-7.13.0 or emr-spark-8.1.0", s)
	}
	return r, nil
}

// cutRelease reads the release with which s begins. What follows has to begin
// with a character that ends a number: emr-7.13.0-flink, not emr-7.13.0rc1.
func cutRelease(s string) (r Release, rest string, ok bool) {
	r.line = lineSpark
	if rest, ok = strings.CutPrefix(s, lineSpark+"-"); !ok {
		r.line = lineEMR
		if rest, ok = strings.CutPrefix(s, lineEMR+"-"); !ok {
			return Release{}, "", false
		}
	}
	for i := range r.version {
		if i > 0 {
			if rest, ok = strings.CutPrefix(rest, "."); !ok {
				return Release{}, "", false
			}
		}
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseUint(rest[:digits], 10, 16)
		if err != nil {
			return Release{}, "", false
		}
		r.version[i], rest = int(n), rest[digits:]
	}
	return r, rest, rest == "" || strings.IndexByte("-_.", rest[0]) >= 0
}

// Stamp is what a name tells of the age of what it names.
type Stamp struct {
	// Release, when HasRelease.
	Release    Release
	HasRelease bool
	// Day on which it was made, zero when the name has none.
	Day time.Time
}

// ReadLabel reads a release label of StartJobRun or of a FlinkDeployment:
// `emr-7.13.0-latest`, `emr-7.13.0-20260410`, `emr-7.13.0-flink-latest`.
func ReadLabel(label string) Stamp {
	var s Stamp
	s.read(strings.ToLower(strings.TrimSpace(label)))
	return s
}

// read takes what text says, unless it is known already.
func (s *Stamp) read(text string) {
	r, rest, ok := cutRelease(text)
	if ok && !s.HasRelease {
		s.Release, s.HasRelease = r, true
	}
	if !ok {
		rest = text
	} else if rest != "" {
		// The day stands at the end, behind the variant: -java17-20260410.
		rest = rest[strings.LastIndexAny(rest, "-_.")+1:]
	}
	if day, ok := parseDay(rest); ok && s.Day.IsZero() {
		s.Day = day
	}
}

// parseDay reads YYYYMMDD. A number that is no day, or one from before there were
// images, is some other number.
func parseDay(s string) (time.Time, bool) {
	if len(s) != len("20060102") {
		return time.Time{}, false
	}
	day, err := time.Parse("20060102", s)
	return day, err == nil && day.Year() >= firstYear
}

const firstYear = 2014

// releases is the table.
var releases = parseReleases(releaseRows)

// knownRelease is a row of the table.
type knownRelease struct {
	Release
	day time.Time
}

// FirstImage is the day of a release's first image, zero when it is not known.
func (r Release) FirstImage() time.Time {
	for _, known := range releases {
		if known.Release == r {
			return known.day
		}
	}
	return time.Time{}
}

// parseReleases reads the table. A row that cannot be read is left out; a test
// sees to it that there is none.
func parseReleases(rows [][2]string) []knownRelease {
	list := make([]knownRelease, 0, len(rows))
	for _, row := range rows {
		if r, err := ParseRelease(row[0]); err == nil {
			day, _ := parseDay(row[1])
			list = append(list, knownRelease{r, day})
		}
	}
	return list
}
