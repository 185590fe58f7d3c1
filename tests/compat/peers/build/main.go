// Builds every program of the original that the tests use, so that a build failure is reported once
// and not by each test.
package main

import (
	"fmt"
	"os"

	"kvorum/tests/compat/peers"
)

func main() {
	if err := peers.BuildTools(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
