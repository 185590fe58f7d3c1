package differential

import (
	"os"
	"slices"
	"strconv"
	"testing"
)

// Both servers tell their clients this address, so that their member lists and the rows they are kept
// in are equal.
const advertisedClientURL = "http://127.0.0.1:20379"

// What every server of this test gets.
var commonFlags = []string{"--advertise-client-urls=" + advertisedClientURL}

// kind is what the servers of a run are told, and what is left to do at its end.
type kind struct {
	name    string
	flags   []string
	restart bool // compare again after a stop and after a kill
}

var (
	plain       = kind{name: "plain"}
	restarted   = kind{name: "restarted", restart: true}
	smallLimits = kind{name: "small limits", flags: []string{"--max-txn-ops=4", "--max-request-bytes=2000"}}
	// Every request that costs space is over it, whatever the engines say their files take.
	noSpace = kind{name: "no space", flags: []string{"--quota-backend-bytes=1"}}
)

type run struct {
	kind     kind
	seed     uint64
	requests int
	goOn     int // differences after which the run does not end
}

// 50,000 requests. Several servers rather than one long life: a difference is found, and made short,
// sooner, and every run has its own start.
var defaultRuns = []run{
	{kind: restarted, seed: 1, requests: 8000},
	{kind: plain, seed: 2, requests: 8000},
	{kind: plain, seed: 3, requests: 8000},
	{kind: plain, seed: 4, requests: 8000},
	{kind: restarted, seed: 5, requests: 8000},
	{kind: smallLimits, seed: 6, requests: 7000},
	{kind: noSpace, seed: 7, requests: 3000},
}

// plannedRuns returns the runs to do, and whether they are all there are by default.
func plannedRuns(t *testing.T) (runs []run, complete bool) {
	runs = defaultRuns
	if seed, ok := number(t, "DIFFERENTIAL_SEED"); ok {
		runs = []run{{kind: restarted, seed: seed, requests: runs[0].requests}}
	}
	requests, fewer := number(t, "DIFFERENTIAL_REQUESTS")
	goOn, _ := number(t, "DIFFERENTIAL_GO_ON")
	runs = slices.Clone(runs)
	for i := range runs {
		runs[i].goOn = int(goOn)
		if fewer {
			runs[i].requests = int(requests)
		}
	}
	return runs, len(runs) == len(defaultRuns) && !fewer
}

func number(t *testing.T, variable string) (value uint64, set bool) {
	text := os.Getenv(variable)
	if text == "" {
		return 0, false
	}
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s is %q: %v", variable, text, err)
	}
	return value, true
}
