package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// The kernel counts a process's time for /proc in hundredths of a second on every architecture.
const clockTick = time.Second / 100

// CPU returns what the running server has used so far, user and kernel, in steps of 10 ms.
func (s *Server) CPU() (time.Duration, error) {
	stat, err := os.ReadFile(s.proc("stat"))
	if err != nil {
		return 0, err
	}
	return parseCPU(string(stat))
}

// parseCPU adds fields 14 and 15. The second is the program's name in parentheses, which may hold
// spaces and parentheses itself.
func parseCPU(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]) // from the third on
	if len(fields) < 13 {
		return 0, fmt.Errorf("too few fields in %q", stat)
	}
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	kernel, errKernel := strconv.ParseInt(fields[12], 10, 64)
	if errUser != nil || errKernel != nil {
		return 0, fmt.Errorf("no times in %q", stat)
	}
	return time.Duration(user+kernel) * clockTick, nil
}

// ResetPeak makes PeakMiB forget what was before, and returns the resident memory of now.
func (s *Server) ResetPeak() (mib float64, err error) {
	if err := os.WriteFile(s.proc("clear_refs"), []byte("5"), 0); err != nil {
		return 0, err
	}
	return s.PeakMiB()
}

// PeakMiB returns the highest resident memory since ResetPeak, or since the start.
func (s *Server) PeakMiB() (float64, error) {
	status, err := os.ReadFile(s.proc("status"))
	if err != nil {
		return 0, err
	}
	return parsePeak(status)
}

func parsePeak(status []byte) (mib float64, err error) {
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmHWM in /proc")
}

func (s *Server) proc(file string) string {
	return fmt.Sprintf("/proc/%d/%s", s.cmd.Process.Pid, file)
}
