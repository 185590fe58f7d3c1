//go:build e2e

// Makes go.mod carry etcd's own tests, which suite/ runs as they are.
package main

import _ "go.etcd.io/etcd/tests/v3/common"
