package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Kept of the output of a case that runs: its end is what is read when it fails.
const maxOutputLines = 400

// The suite takes a quarter of an hour; a case has a timeout of its own, of ten to thirty seconds.
const suiteTimeout = "60m"

// event is one line of `go test -json`.
type event struct {
	Action  string
	Test    string
	Output  string
	Elapsed float64 // seconds
}

func (e event) final() bool { return e.Action == "pass" || e.Action == "fail" || e.Action == "skip" }

func parseEvents(output []byte) []event {
	var events []event
	for line := range bytes.Lines(output) {
		var e event
		if json.Unmarshal(line, &e) == nil {
			events = append(events, e)
		}
	}
	return events
}

// results are the last actions of tests and subtests by name, and of the whole package as "".
type results map[string]string

// run runs the suite less skip, and calls report at the end of each test with its last output.
func run(binDir, skip, only string, report func(event, string)) (results, error) {
	cmd := testCommand(binDir, "-timeout="+suiteTimeout, "-skip="+skip, "-run="+only)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	found, err := collect(json.NewDecoder(bufio.NewReader(pipe)), report)
	var exit *exec.ExitError
	if waitErr := cmd.Wait(); waitErr != nil && !errors.As(waitErr, &exit) {
		return nil, waitErr
	}
	return found, err
}

func collect(events *json.Decoder, report func(event, string)) (results, error) {
	found, output := results{}, map[string][]string{}
	for events.More() {
		var e event
		if err := events.Decode(&e); err != nil {
			return nil, fmt.Errorf("reading the output of go test: %w", err)
		}
		switch {
		case e.Action == "output":
			lines := append(output[e.Test], e.Output)
			output[e.Test] = lines[max(0, len(lines)-maxOutputLines):]
		case e.final():
			found[e.Test] = e.Action
			report(e, strings.Join(output[e.Test], ""))
			delete(output, e.Test)
		}
	}
	return found, nil
}
