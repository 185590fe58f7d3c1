//go:build ignore

// Asks etcd's own wal package what it makes of damaged segments, and writes the answers to
// verdicts.txt, next to the segments it damaged. repair_test.cc expects the same of us.
//
//	cd tests/compat && go run ../wal/testdata/verdicts.go ../wal/testdata
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
)

// payload is n bytes that contain no zero, or only zeros: a sector of those looks torn.
func payload(n int, zeros bool) []byte {
	b := make([]byte, n)
	for i := range b {
		if !zeros {
			b[i] = byte(1 + (i*7+n)%255)
		}
	}
	return b
}

func ptr(v uint64) *uint64 { return &v }

// makeLog writes a log with records of many sizes and returns its segments, oldest first.
func makeLog(dir string, segmentBytes int64) (names []string, files [][]byte) {
	wal.SegmentSizeBytes = segmentBytes
	w, err := wal.Create(zap.NewNop(), dir, []byte{0x08, 0x07, 0x10, 0x09})
	check(err)
	sizes := []int{0, 3, 100, 700, 1500, 511, 600, 512, 5, 30, 41, 8}
	for i, n := range sizes {
		index := uint64(i + 1)
		e := &raftpb.Entry{Term: ptr(2), Index: ptr(index), Data: payload(n, n == 600)}
		check(w.Save(&raftpb.HardState{Term: ptr(2), Vote: ptr(7), Commit: ptr(uint64(i))}, []*raftpb.Entry{e}))
		if index == 3 {
			check(w.SaveSnapshot(&walpb.Snapshot{Index: ptr(2), Term: ptr(2),
				ConfState: &raftpb.ConfState{Voters: []uint64{7}}}))
		}
	}
	check(w.Close())
	names, err = filepath.Glob(filepath.Join(dir, "*.wal"))
	check(err)
	for i := range names {
		b, err := os.ReadFile(names[i])
		check(err)
		files = append(files, b)
		names[i] = filepath.Base(names[i])
	}
	return names, files
}

// read opens the log as a starting server does.
func read(dir string) (answer string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	w, err := wal.Open(zap.NewNop(), dir, &walpb.Snapshot{Index: ptr(0), Term: ptr(0)})
	if err != nil {
		return "", err
	}
	defer w.Close()
	_, state, ents, err := w.ReadAll()
	if err != nil && !errors.Is(err, wal.ErrSnapshotNotFound) {
		return "", err
	}
	return fmt.Sprintf("%d entries, commit %d", len(ents), state.GetCommit()), nil
}

// verdict is "ok: ...", "fatal", or "torn: ..." with what is left after the repair.
func verdict(dir string) string {
	answer, err := read(dir)
	if err == nil {
		return "ok: " + answer
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		return "fatal"
	}
	if !wal.Repair(zap.NewNop(), dir) {
		return "torn: not repaired"
	}
	answer, err = read(dir)
	if err != nil {
		return "torn: fatal after repair"
	}
	return "torn: " + answer
}

type damage struct {
	name  string
	step  int
	apply func(b []byte, at int) []byte
}

var damages = []damage{
	{"cut", 1, func(b []byte, at int) []byte { return b[:at] }},
	{"zero-byte", 1, func(b []byte, at int) []byte { b[at] = 0; return b }},
	{"invert-byte", 1, func(b []byte, at int) []byte { b[at] ^= 0xff; return b }},
	{"flip-lowest-bit", 1, func(b []byte, at int) []byte { b[at] ^= 1; return b }},
	{"flip-highest-bit", 1, func(b []byte, at int) []byte { b[at] ^= 0x80; return b }},
	{"zero-from", 1, func(b []byte, at int) []byte { clear(b[at:]); return b }},
	{"zero-sector", 512, func(b []byte, at int) []byte { clear(b[at:min(at+512, len(b))]); return b }},
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	out := os.Args[1]
	tmp, err := os.MkdirTemp("/dev/shm", "verdicts")
	check(err)
	defer os.RemoveAll(tmp)
	text, err := os.Create(filepath.Join(out, "verdicts.txt"))
	check(err)
	w := bufio.NewWriter(text)
	fmt.Fprintln(w, "# Written by verdicts.go: what etcd v3.7.1 makes of damage at each offset [first, last] of a segment.")
	for _, log := range []struct {
		name         string
		segmentBytes int64
		damaged      int // which segment
	}{{"single", 6144, 0}, {"earlier", 2048, 0}, {"later", 2048, 1}} {
		names, files := makeLog(filepath.Join(tmp, log.name), log.segmentBytes)
		for i, b := range files {
			check(os.WriteFile(filepath.Join(out, fmt.Sprintf("%s.%s", log.name, names[i])), b, 0o644))
		}
		for _, d := range damages {
			judge(w, filepath.Join(tmp, "damaged"), log.name, names, files, log.damaged, d)
		}
	}
	check(w.Flush())
	check(text.Close())
}

func judge(w io.Writer, dir, log string, names []string, files [][]byte, damaged int, d damage) {
	first, last, current := 0, 0, ""
	flush := func() {
		if current != "" {
			fmt.Fprintf(w, "%s %s %d %d %s\n", log, d.name, first, last, current)
		}
	}
	for at := 0; at < len(files[damaged]); at += d.step {
		check(os.RemoveAll(dir))
		check(os.Mkdir(dir, 0o700))
		for i, b := range files {
			b = append([]byte(nil), b...)
			if i == damaged {
				b = d.apply(b, at)
			}
			check(os.WriteFile(filepath.Join(dir, names[i]), b, 0o600))
		}
		v := verdict(dir)
		if v != current {
			flush()
			first, current = at, v
		}
		last = at
	}
	flush()
}
