package compat

import (
	"regexp"
	"strings"

	"kvorum/tests/compat/peers"
)

// What may differ between two servers that behave alike.
var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	// How long a probe took.
	{regexp.MustCompile(`\b[0-9.]+(µs|ms|s)\b`), "TIME"},
	// Etcdctl's own log lines on stderr.
	{regexp.MustCompile(`"ts":"[^"]*"`), `"ts":"TIME"`},
	{regexp.MustCompile(`"target":"etcd-endpoints://0x[0-9a-f]+`), `"target":"etcd-endpoints://POINTER`},
	{regexp.MustCompile(`LocalAddr: '127.0.0.1:[0-9]+'`), `LocalAddr: '127.0.0.1:PORT'`},
	// Database size and the part in use: the engines differ.
	{regexp.MustCompile(`"dbSize(InUse)?":[0-9]+`), `"dbSize$1":SIZE`},
	{regexp.MustCompile(`"DBSize(InUse)?" : [0-9]+`), `"DBSize$1" : SIZE`},
	{regexp.MustCompile(`\b[0-9.]+ [kM]?B\b|\b[0-9]+%`), "SIZE"},
	// An id the server chose.
	{regexp.MustCompile(`lease [0-9a-f]{16} granted`), `lease ID granted`},
	// Seconds left of a lease.
	{regexp.MustCompile(`"ttl":[0-9]+,"granted-ttl"`), `"ttl":LEFT,"granted-ttl"`},
	{regexp.MustCompile(`"TTL" : [0-9]+`), `"TTL" : LEFT`},
}

// mask hides in the output of a call to `s` what may differ.
func mask(s *peers.Server, text string) string {
	text = strings.ReplaceAll(text, s.Addr, "127.0.0.1:11111") // a port as wide as any
	for _, m := range masks {
		text = m.pattern.ReplaceAllString(text, m.with)
	}
	return text
}

var tableFrame = regexp.MustCompile(`[-─]{2,}|[│|+┌┐└┘├┤┬┼┴]| +`)

// unframed drops what depends on the width of masked cells: frames and padding.
func unframed(table string) string { return tableFrame.ReplaceAllString(table, " ") }
