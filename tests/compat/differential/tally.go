package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tally counts what was asked and how it went, to see that a run reaches what it is meant to.
type tally map[string]int

func (t tally) add(s step, a answer) {
	name := fmt.Sprintf("%T", s)[len("differential."):]
	if c, ok := s.(call); ok {
		name = c.method[strings.LastIndex(c.method, "/")+1:]
	}
	t[name+": "+a.Error]++
}

func (t tally) String() string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		lines = append(lines, fmt.Sprintf("%7d %s", t[name], strings.TrimSuffix(name, ": ")))
	}
	return "answers of the reference:\n" + strings.Join(lines, "\n")
}
