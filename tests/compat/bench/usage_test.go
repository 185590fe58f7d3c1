package main

import (
	"testing"
	"time"
)

func TestCPUIsUserAndKernelTimeWhateverTheProgramIsCalled(t *testing.T) {
	const rest = " S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 12 0 100 1000 2000"
	for _, name := range []string{"(etcd)", "(a b)", "(x) R 1 (y)"} {
		if got, err := parseCPU("4711 " + name + rest); err != nil || got != 3*time.Second {
			t.Errorf("%s: got %v, %v, want 3s", name, got, err)
		}
	}
}

func TestCPUOfAStrangeStatIsAnError(t *testing.T) {
	for _, stat := range []string{"", "1 (a) S 1 2", "1 (a) S 1 2 3 4 5 6 7 8 9 10 x y 0"} {
		if got, err := parseCPU(stat); err == nil {
			t.Errorf("%q gives %v", stat, got)
		}
	}
}

func TestPeakIsTheHighWaterMark(t *testing.T) {
	got, err := parsePeak([]byte("Name:\tetcd\nVmPeak:\t  999999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t     512 kB\n"))
	if err != nil || got != 2 {
		t.Errorf("got %v, %v, want 2", got, err)
	}
	if got, err := parsePeak([]byte("Name:\tzombie\n")); err == nil {
		t.Errorf("no line, and got %v", got)
	}
}
