package peers

import "testing"

// FreeAddr returns an address for a further port of a server.
func FreeAddr(t testing.TB) string {
	t.Helper()
	return freeAddr(t)
}
