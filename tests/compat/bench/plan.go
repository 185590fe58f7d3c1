package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Plan is a whole comparison.
type Plan struct {
	Sizes    Sizes
	Rounds   int
	Budget   time.Duration // no round begins that would end later than this; 0: all do
	Only     *regexp.Regexp
	Dir      string // data directories are made in it, and removed
	Port     int
	Progress io.Writer

	Generator, Reference, Kvorum string // paths of programs
}

// side is one of the two that are compared.
type side struct {
	name   string
	binary string
}

// Execute runs the plan. A workload that fails is reported with its error and the rest goes on; an
// error is returned only if nothing can be measured.
func (p Plan) Execute(ctx context.Context) (*Report, error) {
	sides := []side{{"etcd", p.Reference}, {"kvorum", p.Kvorum}}
	report := newReport(p)
	for _, side := range sides {
		version, err := versionOf(ctx, side)
		if err != nil {
			return nil, err
		}
		report.Versions = append(report.Versions, version)
	}
	begin := time.Now()
	for round := 0; round < p.Rounds && p.fits(time.Since(begin), round); round++ {
		for _, session := range p.selected() {
			for _, side := range sides {
				p.progress("round %d of %d: %s: %s", round+1, p.Rounds, side.name, session.names())
				p.runSession(ctx, session, side, report)
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
		slices.Reverse(sides)
		report.Rounds = round + 1
	}
	report.Minutes = time.Since(begin).Minutes()
	report.summarise()
	return report, nil
}

// versionOf returns the line of --version that names the program itself; kvorum's first one is etcd's.
func versionOf(ctx context.Context, side side) (string, error) {
	output, err := exec.CommandContext(ctx, side.binary, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", side.binary, err)
	}
	for line := range strings.Lines(string(output)) {
		if strings.HasPrefix(strings.ToLower(line), side.name) {
			return strings.TrimSpace(line), nil
		}
	}
	return "", fmt.Errorf("%s --version does not say %q", side.binary, side.name)
}

// fits says whether one more round like those before ends within the budget.
func (p Plan) fits(spent time.Duration, rounds int) bool {
	if p.Budget == 0 || rounds == 0 || spent/time.Duration(rounds)*time.Duration(rounds+1) <= p.Budget {
		return true
	}
	p.progress("%d of %d rounds took %v: another would take longer than %v in all", rounds, p.Rounds,
		spent.Round(time.Second), p.Budget)
	return false
}

func (p Plan) selected() []Session {
	return slices.DeleteFunc(sessions(), func(s Session) bool {
		return p.Only != nil && !slices.ContainsFunc(s, func(w Workload) bool { return p.Only.MatchString(w.Name) })
	})
}

// runSession runs each workload of the session on a new server. If the first one fails, the others fail
// with it: it prepared what they count on.
func (p Plan) runSession(ctx context.Context, session Session, side side, report *Report) {
	failAll := func(err error) {
		p.progress("  %s: %v", session[0].Name, err)
		for _, workload := range session {
			report.add(workload.Name, side.name, nil, err)
		}
	}
	server, err := p.newServer(ctx, side)
	if err != nil {
		failAll(err)
		return
	}
	defer os.RemoveAll(server.dir)
	defer server.Stop()
	bed := &Bed{Server: server, Generator: p.Generator, Sizes: p.Sizes}
	for i, workload := range session {
		sample, err := workload.Run(ctx, bed)
		if err != nil && i == 0 {
			failAll(err)
			return
		}
		if err != nil {
			p.progress("  %s: %v", workload.Name, err)
		}
		report.add(workload.Name, side.name, sample, err)
	}
	if err := server.Stop(); err != nil {
		report.add(session[len(session)-1].Name, side.name, nil, err)
	}
}

// newServer starts a server on an empty directory. If it does not start, the end of its log is in the
// error.
func (p Plan) newServer(ctx context.Context, side side) (*Server, error) {
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(p.Dir, side.name+"-")
	if err != nil {
		return nil, err
	}
	server := &Server{binary: side.binary, dir: dir, port: p.Port}
	if _, err := server.Start(ctx); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		stopErr := server.Stop()
		os.RemoveAll(dir)
		return nil, errors.Join(err, stopErr, errors.New(lastLine(string(log))))
	}
	return server, nil
}

func (p Plan) progress(format string, args ...any) {
	fmt.Fprintf(p.Progress, format+"\n", args...)
}

func (s Session) names() string {
	var names []string
	for _, workload := range s {
		names = append(names, workload.Name)
	}
	return strings.Join(names, ", ")
}
