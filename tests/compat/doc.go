// Package compat holds kvorum against the original: the same commands, requests and files go to
// etcd v3.7.1, built here as an ordinary Go tool, and to the binary named by $KVORUM_BIN (default
// build/release/kvorum), and what comes back has to be equal.
//
// Both servers are told the same name, token and advertised peer URL, so that member and cluster id,
// raft term and index are equal too and need no masking. Only what depends on the clock, on the port
// or on the storage engine (durations, client ports, database sizes) is masked, see mask.go.
//
// To check the tests themselves, point KVORUM_BIN at bin/etcd: everything must pass.
package compat
