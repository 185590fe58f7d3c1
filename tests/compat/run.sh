#!/usr/bin/env bash
# Compares kvorum with etcd v3.7.1: ./dev compat calls this. Without arguments: our tests, then
# those of etcd's own that suite/ runs. "suite" and its arguments: only these. Other arguments: only ours,
# and they go to `go test`, for instance -run TestHistory. The binary under test is $KVORUM_BIN,
# default build/release/kvorum.
# With COMPAT_SHORT=1 clusters are of kvorum alone, not mixed with the original as well.
# Ends in a line "N passed, N failed" and with status 1 if anything failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)

fail() {
  echo "compat: $*" >&2
  echo "0 passed, 1 failed"
  exit 1
}

[[ -x "$(command -v go)" ]] || PATH=$PATH:/usr/local/go/bin
[[ -x "$(command -v go)" ]] || fail "Go 1.26 or newer is needed to build the programs kvorum is" \
  "compared with, and there is no go in PATH. See https://go.dev/doc/install"
export GOTOOLCHAIN=local
version=$(go env GOVERSION)  # go1.26.8
IFS=. read -r major minor _ <<<"${version#go}."
minor=${minor%%[!0-9]*}
if ((major < 1 || (major == 1 && minor < 26))); then
  fail "Go 1.26 or newer is needed, this is $version. See https://go.dev/doc/install"
fi
[[ -x "$(command -v protoc)" ]] || fail "protoc is missing: apt-get install protobuf-compiler"

export KVORUM_BIN=${KVORUM_BIN:-$root/build/release/kvorum}
# go test runs elsewhere than the caller stands.
[[ $KVORUM_BIN == /* ]] || KVORUM_BIN=${OLDPWD:-$root}/$KVORUM_BIN
[[ -x $KVORUM_BIN ]] || fail "no server to test at $KVORUM_BIN: build it first (./dev build)"

echo "compat: $version, testing $KVORUM_BIN"
echo "compat: building etcd, etcdctl, etcdutl, benchmark and etcd-dump-logs v3.7.1"
go run ./peers/build || fail "the original's programs do not build"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0

# add_counts <passed> <failed> <status>: a step that failed counts at least one failure.
add_counts() {
  local f=$2
  if (($3 != 0 && f == 0)); then f=1; fi
  passed=$((passed + $1)) failed=$((failed + f))
}

our_tests() {
  local status=0
  # One package at a time: they start servers, and what two of these take of a machine shows.
  go test -p 1 -count=1 -timeout 40m ${COMPAT_SHORT:+-short} -v "$@" ./... 2>&1 | tee "$log" |
    grep --line-buffered -E '^ *--- |^(ok|FAIL|panic:)' || status=1
  # A package that does not compile, or panics, fails without naming a test.
  if grep -qE '^FAIL' "$log"; then status=1; fi
  if ((status != 0)); then
    echo "---- full output ----"
    cat "$log"
  fi
  add_counts "$(grep -cE '^ *--- PASS' "$log")" "$(grep -cE '^ *--- FAIL' "$log")" "$status"
}

etcds_tests() {
  echo "compat: etcd's tests/common"
  local status=0 p=0 f=0 counts='^suite: [0-9]+ run: ([0-9]+) passed, .* ([0-9]+) failed$'
  go run ./suite "$@" 2>&1 | tee "$log" || status=1
  if [[ $(grep '^suite: .* run:' "$log") =~ $counts ]]; then
    p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]}
  fi
  add_counts "$p" "$f" "$status"
}

if [[ ${1:-} == suite ]]; then
  etcds_tests "${@:2}"
else
  our_tests "$@"
  if (($# == 0)); then etcds_tests; fi
fi
if ((passed == 0 && failed == 0)) && [[ " $* " != *" -list "* ]]; then
  echo "compat: no test ran"
  failed=1
fi
echo "$passed passed, $failed failed"
((failed == 0))
