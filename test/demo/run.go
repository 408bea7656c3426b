package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emrguard/emrguard/test/harness"
)

// runDemo sends all requests twice, with the rules' own modes and in warn mode.
func runDemo(ctx context.Context) (err error) {
	began := time.Now()
	s, err := newStage(ctx, printProgress(began))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && ctx.Err() == nil {
			err = errors.Join(err, saveLogs(s.cp))
		}
		err = errors.Join(err, s.cp.Stop())
	}()
	version, err := s.cp.Version()
	if err != nil {
		return err
	}
	t := newTable()
	fmt.Print(people)
	t.header("Every answer below was given by kube-apiserver " + version + ". Namespace emr-jobs is EMR's.")
	problems, err := s.sendAll(ctx, t, false)
	if err != nil {
		return err
	}
	if err := s.showAccess(ctx, t); err != nil {
		return err
	}
	if err := s.reset(ctx); err != nil {
		return err
	}
	if err := s.warnMode(ctx); err != nil {
		return err
	}
	t.header("The same requests after `helm upgrade --set mode=warn`: nothing is denied, everything is told.")
	more, err := s.sendAll(ctx, t, true)
	if err != nil {
		return err
	}
	fmt.Print(legend)
	if problems += more; problems > 0 {
		fmt.Printf("\n%d answers were not as expected: they are marked above. If the rule is right, mend the row in\n"+
			"test/demo/rows.go; if the answer is wrong, the log of the webhook says what it saw.\n", problems)
		return errUnexpected
	}
	fmt.Printf("\nAll %d answers were as the guide demands. Took %s; everything is stopped again.\n",
		2*len(rows()), time.Since(began).Round(time.Second))
	return nil
}

// sendAll sends the requests in order, prints the answers and returns how many
// were not as expected.
func (s *stage) sendAll(ctx context.Context, t *table, warnMode bool) (problems int, err error) {
	counts := map[harness.Verdict]int{}
	for i, r := range rows() {
		answer, err := r.send(ctx, s)
		if err == nil {
			err = ctx.Err() // an answer that an interrupt cut off says nothing
		}
		if err != nil {
			return problems, fmt.Errorf("request %d (%s: %s): %w", i+1, r.who, r.what, err)
		}
		problem := r.check(answer, warnMode)
		if problem != "" {
			problems++
		}
		counts[answer.Verdict]++
		t.row(i+1, &r, answer, problem)
	}
	fmt.Printf("\n%d requests: %d allowed, %d warned, %d denied.\n",
		len(rows()), counts[harness.Allowed], counts[harness.Warned], counts[harness.Denied])
	return problems, nil
}

// printProgress prints what is being done, with the time since the start.
func printProgress(began time.Time) func(string, ...any) {
	return func(format string, args ...any) {
		fmt.Printf("%5.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
}
