package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// generate runs etcd's load generator against the bed's server. The generator's own percentiles are
// taken; --precise prints them with all digits, not in steps of 0.1 ms.
func generate(ctx context.Context, b *Bed, args ...string) (Sample, error) {
	args = append([]string{"--endpoints=" + b.Server.Addr(), "--precise"}, args...)
	cmd := exec.CommandContext(ctx, b.Generator, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, lastLine(stderr.String()))
	}
	return parseSummary(stdout.String())
}

var (
	secondsLine    = regexp.MustCompile(`^(\S+):\s+(\S+) secs\.$`)
	rateLine       = regexp.MustCompile(`^Requests/sec:\s+(\S+)$`)
	percentileLine = regexp.MustCompile(`^(\S+)% in (\S+) secs\.$`)
)

// parseSummary reads what the generator prints at its end:
//
//	Summary:
//	  Total:	0.75 secs.
//	  Slowest:	0.025 secs.
//	  Requests/sec:	26481.3
//	Latency distribution:
//	  50% in 0.0123 secs.
//	Error distribution:
//	  [3]	etcdserver: too many requests
//
// A percentile is missing if there were too few operations. A run with a failed operation counts for
// nothing: its error is returned.
func parseSummary(output string) (Sample, error) {
	sample := Sample{}
	if _, errors, failed := strings.Cut(output, "Error distribution:"); failed {
		return nil, fmt.Errorf("operations failed: %s", strings.Join(strings.Fields(errors), " "))
	}
	lines := bufio.NewScanner(strings.NewReader(output))
	for lines.Scan() {
		metric, text := summaryValue(strings.TrimSpace(lines.Text()))
		if metric == "" {
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("in the line %q of the load generator: %w", lines.Text(), err)
		}
		if metric != OpsPerSecond {
			value *= 1e3 // seconds to ms
		}
		sample[metric] = value
	}
	for _, metric := range []Metric{OpsPerSecond, P50, Slowest} {
		if _, ok := sample[metric]; !ok {
			return nil, fmt.Errorf("no %s in the output of the load generator:\n%s", metric, output)
		}
	}
	return sample, nil
}

func summaryValue(line string) (Metric, string) {
	if m := rateLine.FindStringSubmatch(line); m != nil {
		return OpsPerSecond, m[1]
	}
	if m := secondsLine.FindStringSubmatch(line); m != nil && m[1] == "Slowest" {
		return Slowest, m[2]
	}
	if m := percentileLine.FindStringSubmatch(line); m != nil {
		switch m[1] {
		case "50":
			return P50, m[2]
		case "99":
			return P99, m[2]
		case "99.9":
			return P999, m[2]
		}
	}
	return "", ""
}

func lastLine(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}
