package compat

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kvorum/tests/compat/peers"
)

// What a request to the JSON gateway was answered.
type gatewayAnswer struct {
	Status  int
	Headers map[string][]string
	Body    string
}

// Headers whose value clients may depend on; Date and Content-Length go with the moment and with
// where the original puts a space.
var comparedHeaders = []string{
	"Content-Type", "Grpc-Metadata-Content-Type", "Www-Authenticate", "Allow", "Location",
	"X-Content-Type-Options", "Access-Control-Allow-Origin", "Access-Control-Allow-Methods",
	"Access-Control-Allow-Headers",
}

var gatewayMasks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`"dbSize(InUse)?":"[0-9]+"`), `"dbSize$1":"SIZE"`},
	// Leases granted without an id: in the answer, and in a list.
	{regexp.MustCompile(`"ID":"[0-9]{10,}","TTL"`), `"ID":"ID","TTL"`},
	{regexp.MustCompile(`\{"ID":"[0-9]{10,}"\}`), `{"ID":"ID"}`},
}

// The original puts a space after commas, or a no-break space into messages, by a checksum of its
// own binary.
func normalBody(s *peers.Server, body string) string {
	body = strings.ReplaceAll(body, "\u00a0", " ")
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(body)) == nil {
		body = compact.String()
	}
	body = strings.ReplaceAll(body, s.Addr, "127.0.0.1:11111")
	for _, m := range gatewayMasks {
		body = m.pattern.ReplaceAllString(body, m.with)
	}
	return body
}

type gatewayRequest struct {
	method  string // default POST
	path    string
	body    string
	headers []string // "Name: value"
}

func (r gatewayRequest) String() string {
	body := r.body
	if len(body) > 120 {
		body = body[:100] + "..."
	}
	return fmt.Sprintf("%s %s %v %s", r.method, r.path, r.headers, body)
}

var gatewayClient = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func askGateway(t testing.TB, s *peers.Server, r gatewayRequest) gatewayAnswer {
	t.Helper()
	method := r.method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(withTimeout(t), method, "http://"+s.Addr+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range r.headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := gatewayClient.Do(req)
	if err != nil {
		t.Fatalf("%s: %s: %v", s.Name, r, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %s: %v", s.Name, r, err)
	}
	answer := gatewayAnswer{Status: resp.StatusCode, Headers: map[string][]string{}, Body: normalBody(s, string(body))}
	for _, name := range comparedHeaders {
		if values := resp.Header.Values(name); len(values) > 0 {
			answer.Headers[name] = values
		}
	}
	return answer
}

// Methods without a handler yet: their paths are known, their requests are read, and then the
// gateway has the services' word that they are not served.
var notServedYet = regexp.MustCompile(`^/v3/(auth|lock|election)/|^/v3/cluster/member/add$|` +
	`^/v3/maintenance/(transfer-leadership|downgrade)$`)

// The same requests, in the same order, get the same answers.
func compareGateway(t *testing.T, servers [2]*peers.Server, requests []gatewayRequest) {
	t.Helper()
	compared := 0
	for _, r := range requests {
		want, got := askGateway(t, servers[0], r), askGateway(t, servers[1], r)
		if got.Status == http.StatusNotImplemented && want.Status != got.Status && notServedYet.MatchString(r.path) {
			continue
		}
		compared++
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s is not answered alike (-%s +%s):\n%s", r, servers[0].Name, servers[1].Name, diff)
		}
	}
	t.Logf("%d of %d requests compared", compared, len(requests))
}

func gatewayRequests(path string, bodies ...string) []gatewayRequest {
	var requests []gatewayRequest
	for _, body := range bodies {
		requests = append(requests, gatewayRequest{path: path, body: body})
	}
	return requests
}

var unaryPaths = []string{
	"/v3/kv/range", "/v3/kv/put", "/v3/kv/deleterange", "/v3/kv/txn", "/v3/kv/compaction",
	"/v3/lease/grant", "/v3/lease/revoke", "/v3/kv/lease/revoke", "/v3/lease/timetolive", "/v3/kv/lease/timetolive",
	"/v3/lease/leases", "/v3/kv/lease/leases",
	"/v3/cluster/member/add", "/v3/cluster/member/remove", "/v3/cluster/member/update", "/v3/cluster/member/list",
	"/v3/cluster/member/promote",
	"/v3/maintenance/alarm", "/v3/maintenance/status", "/v3/maintenance/defragment", "/v3/maintenance/hash",
	"/v3/maintenance/hashkv", "/v3/maintenance/transfer-leadership", "/v3/maintenance/downgrade",
	"/v3/auth/enable", "/v3/auth/disable", "/v3/auth/status", "/v3/auth/authenticate",
	"/v3/auth/user/add", "/v3/auth/user/get", "/v3/auth/user/list", "/v3/auth/user/delete", "/v3/auth/user/changepw",
	"/v3/auth/user/grant", "/v3/auth/user/revoke",
	"/v3/auth/role/add", "/v3/auth/role/get", "/v3/auth/role/list", "/v3/auth/role/delete", "/v3/auth/role/grant",
	"/v3/auth/role/revoke",
	"/v3/lock/lock", "/v3/lock/unlock", "/v3/election/campaign", "/v3/election/proclaim", "/v3/election/leader",
	"/v3/election/resign",
}

// Takes one request, though it answers in a stream.
var serverStreamPaths = []string{"/v3/maintenance/snapshot", "/v3/election/observe"}

// Bodies that fail before any method is called.
var malformedBodies = []string{
	"{", "}", "x", `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{"a":1,,}`, `{a:1}`, `{'a':1}`, `{"a" 1}`, `{"a":1 "b":2}`,
	"null", "[]", "[", "5", `"s"`, "true", "tru", "nul", "-", "01", "1.", "1e", "\x00", "\xff", `{"a":"` + "\n" + `"}`, `{"a":"\x"}`, `{"a":"\u12"}`,
	`{"a":"` + "\xff" + `"}`, `{"a":"\ud800"}`, `{"a":"\ud800abcdef"}`, "{\"a\":[[[}", " \n\t {\"a\":tru}",
}

func TestGatewayRefusesMalformedBodiesAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	var requests []gatewayRequest
	for i, path := range slices.Concat(unaryPaths, serverStreamPaths) {
		bodies := malformedBodies
		if i > 4 { // what is wrong does not depend on the path
			bodies = malformedBodies[i%4 : i%4+8]
		}
		requests = append(requests, gatewayRequests(path, bodies...)...)
	}
	compareGateway(t, servers, requests)
}

func TestGatewayServesPathsAndMethodsAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	var requests []gatewayRequest
	for _, path := range slices.Concat(unaryPaths, serverStreamPaths, []string{
		"/v3/watch", "/v3/lease/keepalive", "/v3", "/v3//kv/put", "/v3/./kv/../kv/put", "/v3/kv//", "//", "/..", "/version/", "//version?a=b", "/v3/", "/v3/kv", "/v3/kv/", "/v3/kv/put/", "/v3/kv/rangestream", "/v3/nothing",
		"/v3beta/", "/v3beta", "/v3beta/kv/put", "/v3alpha/kv/put", "/v3alpha/", "/v2/keys", "/v3/KV/PUT", "/v3/kv/put;a", "/v3/kv/put%20", "/v3/kv%2Fput",
	}) {
		for _, method := range []string{"GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "FOO"} {
			requests = append(requests, gatewayRequest{method: method, path: path})
		}
	}
	for _, path := range []string{
		"/v3/kv/put/", "/v3/kv/rangestream", "/v3/nothing", "/v3beta/nothing", "/v3alpha/kv/put", "/v3/kv%2Fput", "/v3/kv/put?key=YQ==", "/v3beta/kv/put",
		"/%76%33/kv/put", "/v3/kv/put%2f", "/v3//kv/put?a=b", "/v3beta//kv/put", "/v3",
	} {
		requests = append(requests, gatewayRequests(path, `{"key":"YQ=="}`, "", "{")...)
	}
	compareGateway(t, servers, requests)
}

// Every form of every kind of field, right and wrong.
func TestGatewayReadsFieldsAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	requests := gatewayRequests("/v3/kv/put", `{"key":"Zm9v","value":"YmFy"}`, `{"key":"Zm9vMQ==","value":"eA=="}`, `{"key":"YQ==","value":"MQ=="}`)
	field := func(path, format string, values ...string) {
		for _, v := range values {
			requests = append(requests, gatewayRequest{path: path, body: fmt.Sprintf(format, v)})
		}
	}
	numbers := []string{
		"0", "1", "-0", "-1", "1.0", "1.5", "1e0", "1e1", "10e-1", "15e-1", "1E+0", "0.0", "0e9", "1e19", "1e-1", "100e-2", "1e400", "1e2147483648",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
		`"1"`, `" 1"`, `"1 "`, `"1\n"`, `"1.0"`, `"1e0"`, `"1.5"`, `"0x1"`, `"01"`, `"+1"`, `"-1"`, `""`, `"a"`, `"1a"`, `"1 2"`, `"1,2"`, `"1}"`, `"\"1\""`, `"null"`, `"true"`,
		"true", "null", "{}", "[]", "[1]", `"\u0031"`,
	}
	field("/v3/kv/range", `{"key":"Zm9v","limit":%s}`, numbers...)
	field("/v3/kv/range", `{"key":"Zm9v","revision":%s}`, numbers...)
	field("/v3/kv/put", `{"key":"Zm9v","lease":%s}`, numbers...)
	field("/v3/maintenance/alarm", `{"action":"GET","memberID":%s}`, numbers...)
	field("/v3/kv/range", `{"key":"Zm9v","serializable":%s}`, "true", "false", `"true"`, "1", "0", "null", "[]", "{}", `""`)
	field("/v3/kv/range", `{"key":"Zm9v","range_end":"AA==","sort_order":%s}`,
		`"NONE"`, `"ASCEND"`, `"DESCEND"`, `"descend"`, `"SIDEWAYS"`, "0", "2", "1.0", "1.5", `"2"`, "-1", "77", "2147483648", "null", "true", "[]")
	field("/v3/kv/range", `{"key":%s}`,
		`"Zm9v"`, `"Zm9v\n"`, `"Zm\n9v"`, `"Zm9vMQ=="`, `"Zm9vMQ"`, `"Zm9vMR=="`, `"Zm9vMQ="`, `"Zm9vMQ==="`, `"Zm 9v"`, `"Z"`, `"===="`, `"="`, `"+/+/"`, `"-_-_"`,
		`"+_+_"`, `"Zm9vMQ==Zg=="`, `"Zm9vMQ==\n\n\n\n"`, `"\u005am9v"`, `"Zm9v\r\n\r\n"`, `"foo"`, `""`, "null", "5", "true", "[]", "{}", `["Zm9v"]`)
	field("/v3/auth/user/get", `{"name":%s}`, "5", "null5", "[]", "{}", "true", `"`+"\xff"+`"`, `"\udc00\ud800"`, `"\ud83dx"`)
	field("/v3/kv/range", "%s",
		`{"key":"Zm9v","rangeEnd":"AA=="}`, `{"key":"Zm9v","range_end":"AA=="}`, `{"key":"Zm9v","RangeEnd":"AA=="}`, `{"\u006bey":"Zm9v"}`,
		`{"key":"Zm9v","key":"YQ=="}`, `{"range_end":"","rangeEnd":"","key":"Zm9v"}`, `{"key":null,"key":"Zm9v"}`,
		`{"key":"Zm9v"}x`, `{"key":"Zm9v"}{"key":"YQ=="}`, "\n\n {\"key\":\n\"Zm9v\"\n,\"limit\":\n \"x\"}", "{\"\u00e4\u20ac\":1,\"limit\":\"x\"}",
		`{"key":"Zm9v","unknown":{"a":[1,2,{"b":"}"}],"c":null}}`, `{"key":"Zm9v","unknown":"`+"\xc3"+`"}`, `{"key":"Zm9v","[ext]":1}`, `{"key":"Zm9v","@type":"x"}`,
		`{"key":"Zm9v","limit":1,"revision":0,"sort_order":0,"sort_target":"KEY","serializable":false,"keys_only":true,"count_only":false}`,
		"\ufeff{}", "{\"key\":\"Zm9v\"}\x00", `  {"key":"Zm9v"  }  `)
	field("/v3/kv/txn", "%s",
		`{}`, `{"compare":{}}`, `{"compare":[null]}`, `{"compare":[{}]}`, `{"compare":null,"success":null}`, `{"success":["a"]}`, `{"success":[[]]}`, `{"success":[{}]}`,
		`{"success":[{"request_put":{"key":"YQ=="},"request_range":{"key":"YQ=="}}]}`, `{"success":[{"request_put":null,"request_range":{"key":"YQ=="}}]}`,
		`{"success":[{"requestRange":{"key":"YQ=="}}]}`, `{"compare":[{"key":"YQ==","target":"VERSION","version":"1"}],"success":[{"request_put":{"key":"YQ==","value":"Mg=="}}],"failure":[{"request_range":{"key":"YQ=="}}]}`,
		`{"compare":[{"key":"YQ==","target":"MOD","mod_revision":"1","version":"2"}]}`, `{"compare":[{"key":"YQ==","target":"VALUE","result":"NOT_EQUAL","value":"Mw=="}],"success":[{"request_delete_range":{"key":"YQ==","prev_kv":true}}]}`,
		`{"success":[{"request_txn":{"success":[{"request_range":{"key":"Zm9v"}}]}}]}`, `{"success":[{"request_txn":{"success":[{"request_txn":{"failure":{}}}]}}]}`)
	field("/v3/lease/grant", "%s", `{"ID":"77","TTL":"100"}`, `{"ID":77,"TTL":100}`, `{"TTL":0}`, `{"TTL":"100"}`, `{"TTL":9000000001}`, `{"id":5,"ttl":5}`)
	field("/v3/lease/timetolive", "%s", `{"ID":"77"}`, `{"ID":77,"keys":true}`, `{"ID":99}`, `{}`)
	field("/v3/lease/leases", "%s", `{}`, ``, ` `)
	field("/v3/lease/revoke", "%s", `{"ID":"77"}`, `{"ID":77}`, `{}`)
	field("/v3/kv/put", "%s", `{"key":"Zm9v","prev_kv":true}`, `{"key":"Zm9v","ignore_value":true,"value":"eA=="}`, `{"key":"bm8=","ignore_value":true}`, `{"key":"Zm9v","lease":"5"}`, ``, `{}`)
	field("/v3/kv/deleterange", "%s", `{"key":"Zm9v","prev_kv":true}`, `{"key":"Zm9v"}`, `{"key":"AA==","range_end":"AA=="}`, `{}`)
	field("/v3/kv/compaction", "%s", `{"revision":"2"}`, `{"revision":2}`, `{"revision":"99999"}`, `{"revision":3,"physical":true}`)
	field("/v3/kv/range", "%s", `{"key":"Zm9v","revision":1}`, `{"key":"Zm9v","revision":"99999"}`)
	field("/v3/cluster/member/list", "%s", `{}`, `{"linearizable":true}`, ``)
	field("/v3/maintenance/status", "%s", `{}`, ``)
	field("/v3/maintenance/hashkv", "%s", `{}`, `{"revision":"3"}`, `{"revision":-1}`, `{"revision":"99999"}`)
	field("/v3/maintenance/alarm", "%s", `{}`, `{"action":"GET","alarm":"NOSPACE"}`, `{"action":"DEACTIVATE","alarm":"NOSPACE"}`) // {"action":3} ends the original
	field("/v3/maintenance/defragment", "%s", `{}`, ``)
	field("/v3/cluster/member/remove", "%s", `{}`, `{"ID":5}`, `{"ID":-1}`)
	field("/v3/cluster/member/promote", "%s", `{}`, `{"ID":"5"}`)
	field("/v3/cluster/member/update", "%s", `{"ID":5}`, `{"ID":"5","peerURLs":["http://a:1"]}`, `{"peerURLs":"http://a:1"}`, `{"peerURLs":[5]}`)
	field("/v3/auth/status", "%s", `{}`)
	field("/v3/auth/authenticate", "%s", `{"name":"a","password":"b"}`)
	compareGateway(t, servers, requests)
}

func TestGatewayReadsHeadersAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	var requests []gatewayRequest
	for _, h := range []string{
		"Grpc-Timeout: 1", "Grpc-Timeout: S", "Grpc-Timeout: 1x", "Grpc-Timeout: xS", "Grpc-Timeout: 1.5S", "Grpc-Timeout: 10S", "Grpc-Timeout: 1H", "Grpc-Timeout: 5M",
		"Grpc-Timeout: 20000m", "Grpc-Timeout: 0n", "Grpc-Timeout: 1n", "Grpc-Timeout: -5S", "Grpc-Timeout: ", "Grpc-Metadata-Hasleader: true", "Grpc-Metadata-Hasleader: false",
		"Grpc-Metadata-X-Bin: YQ", "Grpc-Metadata-X-Bin: YQ==", "Grpc-Metadata-X-Bin: !!", "Grpc-Metadata-X-Bin: YQ!", "Grpc-Metadata-X-Bin: Y", "grpc-metadata-y-bin: a b",
		"Grpc-Metadata-Token: abc", "Authorization: abc", "Authorization: Bearer abc", "Content-Type: application/x-www-form-urlencoded", "Content-Type: text/plain",
		"Content-Type: application/json; charset=utf-8", "Accept: text/html", "Accept-Encoding: gzip", "Origin: http://elsewhere", "Upgrade: h2c", "Te: trailers",
		"X-Forwarded-For: 1.2.3.4", "Grpc-Metadata-Client-Api-Version: 3.7", "Cookie: a=b",
	} {
		for _, path := range []string{"/v3/kv/put", "/v3/kv/range", "/v3/kv/compaction"} {
			requests = append(requests, gatewayRequest{path: path, body: `{"key":"Zm9v"}`, headers: []string{h}})
		}
	}
	requests = append(requests, gatewayRequest{
		path: "/v3/kv/range", body: `{"key":"Zm9v"}`,
		headers: []string{"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"},
	})
	compareGateway(t, servers, requests)
}

// Sizes around every limit.
func TestGatewayTakesLargeRequestsAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	value := func(bytes int) string { return strings.Repeat("QUJD", bytes/3) }
	var requests []gatewayRequest
	for _, size := range []int{100_000, 1_500_000, 1_572_000, 1_600_000, 2_000_000, 2_097_000, 2_200_000, 3_000_000} {
		requests = append(requests, gatewayRequests("/v3/kv/put", `{"key":"YmlnCg==","value":"`+value(size)+`"}`)...)
		requests = append(requests, gatewayRequests("/v3/kv/range", `{"key":"YmlnCg=="}`)...)
	}
	requests = append(requests, gatewayRequests("/v3/kv/range", strings.Repeat(" ", 3_000_000)+`{"key":"YmlnCg==","keys_only":true}`,
		`{"key":"YmlnCg==","keys_only":true}`+strings.Repeat("x", 3_000_000), `{"key":"YmlnCg==","keys_only":true,"x":`+strings.Repeat("[", 9000)+strings.Repeat("]", 9000)+"}",
		`{"key":"YmlnCg==","keys_only":true,"x":`+strings.Repeat("[", 10000)+strings.Repeat("]", 10000)+"}", strings.Repeat("[", 100000), strings.Repeat(`{"a":`, 100000))...)
	compareGateway(t, servers, requests)
}

// Conversations byte for byte, which Go's client would not send. Answers are compared without Date
// and lengths.
func TestGatewaySpeaksHTTPAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	const body = `{"key":"Zm9v"}`
	for name, request := range map[string]string{
		"HTTP/1.0":             "POST /v3/kv/put HTTP/1.0\r\nContent-Length: 14\r\n\r\n" + body,
		"HTTP/1.0 stream":      "POST /v3/lease/keepalive HTTP/1.0\r\nContent-Length: 8\r\n\r\n{\"ID\":5}",
		"chunked":              "POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"key\r\n9;ext=1\r\n\":\"Zm9v\"}\r\n0\r\nTrailer: x\r\n\r\n",
		"stream":               "POST /v3/lease/keepalive HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 17\r\n\r\n{\"ID\":5} {\"ID\":6}",
		"stream without a say": "POST /v3/lease/keepalive HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		"malformed stream":     "POST /v3/lease/keepalive HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{\"ID\":5,}",
		"second malformed":     "POST /v3/lease/keepalive HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 12\r\n\r\n{\"ID\":5} {]}",
		"wrong type in stream": "POST /v3/lease/keepalive HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 12\r\n\r\n{\"ID\":\"x\"}  ",
		"not expecting that":   "POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 200-ok\r\nContent-Length: 14\r\n\r\n" + body,
		"no length":            "POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"bad chunk":            "POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"upgrade to h2c":       "POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: 14\r\n\r\n" + body,
	} {
		t.Run(name, func(t *testing.T) {
			answers := [2]string{}
			for i, s := range servers {
				answers[i] = rawAnswer(t, s, request)
			}
			if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
				t.Errorf("%q is not answered alike (-%s +%s):\n%s", request, servers[0].Name, servers[1].Name, diff)
			}
		})
	}
}

var volatileLines = regexp.MustCompile(`(?m)^(Date|Content-Length|Connection|Access-Control-[A-Za-z-]+): .*\r\n`)
var chunkSizes = regexp.MustCompile(`(?m)^[0-9a-f]+\r\n`)

func rawAnswer(t *testing.T, s *peers.Server, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(callTimeout)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("%s: %v after %q", s.Name, err, all)
	}
	head, body, _ := strings.Cut(string(all), "\r\n\r\n")
	lines := strings.Split(volatileLines.ReplaceAllString(head+"\r\n", ""), "\r\n")
	slices.Sort(lines[1:])
	body = chunkSizes.ReplaceAllString(body, "")
	parts := strings.SplitAfter(body, "\n")
	for i := range parts {
		parts[i] = normalBody(s, parts[i])
	}
	return strings.Join(lines, "\n") + "\n\n" + strings.Join(parts, "\n")
}

// The same watches over the gateway say the same, line by line.
func TestGatewayWatchesAlike(t *testing.T) {
	put := func(key, value string) gatewayRequest {
		return gatewayRequest{path: "/v3/kv/put", body: fmt.Sprintf(`{"key":%q,"value":%q}`, key, value)}
	}
	for name, c := range map[string]struct {
		body  string
		first int // lines due before anything is done
		do    []gatewayRequest
		due   int // lines in all
	}{
		"events":     {`{"create_request":{"key":"aw==","prev_kv":true}}`, 1, []gatewayRequest{put("aw==", "MQ=="), put("eA==", "MQ=="), put("aw==", "Mg=="), {path: "/v3/kv/deleterange", body: `{"key":"aw=="}`}}, 4},
		"several":    {`{"create_request":{"key":"aw=="}}{"createRequest":{"key":"YQ==","rangeEnd":"eg==","watchId":"7"}}`, 2, []gatewayRequest{put("aw==", "MQ==")}, 4},
		"cancel":     {`{"create_request":{"key":"aw=="}}{"cancel_request":{"watch_id":"0"}}{"cancel_request":{"watch_id":5}}{"create_request":{"key":"aw=="}}`, 3, []gatewayRequest{put("aw==", "MQ==")}, 4},
		"progress":   {`{"create_request":{"key":"aw=="}} {"progress_request":{}}`, 1, nil, 2},
		"past":       {`{"create_request":{"key":"aw==","start_revision":"2"}}`, 1, nil, 2},
		"compacted":  {`{"create_request":{"key":"aw==","start_revision":1}}`, 1, nil, 2},
		"filters":    {`{"create_request":{"key":"aw==","filters":["NOPUT","SOMETHING"]}}`, 1, []gatewayRequest{put("aw==", "MQ=="), {path: "/v3/kv/deleterange", body: `{"key":"aw=="}`}}, 2},
		"then wrong": {`{"create_request":{"key":"aw=="}} {"create_request":[]} {"create_request":{"key":"YQ=="}}`, 1, []gatewayRequest{put("YQ==", "MQ=="), put("aw==", "MQ==")}, 2},
		"unknown":    {`{} {"new_request":{}} {"create_request":{"key":"aw==","new":1}}`, 1, []gatewayRequest{put("aw==", "MQ==")}, 2},
		"deadline":   {`{"create_request":{"key":"aw=="}}`, 1, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			servers := peers.StartBoth(t)
			history := []gatewayRequest{put("aw==", "MA=="), put("aw==", "MQ=="), put("aw==", "Mg==")}
			if name == "compacted" {
				history = append(history, gatewayRequest{path: "/v3/kv/compaction", body: `{"revision":3}`})
			}
			answers := [2][]string{}
			for i, s := range servers {
				for _, r := range history {
					askGateway(t, s, r)
				}
				var headers []string
				if name == "deadline" {
					headers = []string{"Grpc-Timeout: 700m"}
				}
				answers[i] = watchOver(t, s, c.body, headers, c.first, c.do, c.due)
				// The original answers in no certain order here: progress and creation overtake one
				// another, and the watchers of one revision come as a map has them.
				if name == "progress" || name == "several" {
					slices.Sort(answers[i])
				}
				// Whether its gateway's own deadline or the end of the call comes first is chance.
				for j := range answers[i] {
					answers[i][j] = strings.Replace(answers[i][j],
						"stream terminated by RST_STREAM with error code: CANCEL", "context deadline exceeded", 1)
				}
			}
			if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
				t.Errorf("%s is not watched alike (-%s +%s):\n%s", c.body, servers[0].Name, servers[1].Name, diff)
			}
		})
	}
}

// Does `do` once the first lines have come, and returns the head and `due` lines.
func watchOver(t *testing.T, s *peers.Server, body string, headers []string, first int, do []gatewayRequest, due int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.Addr+"/v3/watch", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		key, value, _ := strings.Cut(h, ": ")
		req.Header.Set(key, value)
	}
	resp, err := gatewayClient.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	defer resp.Body.Close()
	lines := []string{resp.Status + " " + resp.Header.Get("Content-Type")}
	reader := bufio.NewReader(resp.Body)
	for i := range due {
		line, err := reader.ReadString('\n')
		if err != nil {
			t.Fatalf("%s: %v after %q", s.Name, err, lines)
		}
		lines = append(lines, normalBody(s, line))
		if i+1 == first {
			for _, r := range do {
				askGateway(t, s, r)
			}
		}
	}
	return lines
}

// A watch nobody can understand is not answered, and harms nobody.
func TestGatewayLeavesUnintelligibleWatchesOpen(t *testing.T) {
	for _, s := range peers.StartBoth(t) {
		for _, body := range []string{"", "{", `{"create_request":{`, "x", "[]"} {
			ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.Addr+"/v3/watch", strings.NewReader(body))
			if resp, err := gatewayClient.Do(req); err == nil {
				resp.Body.Close()
				t.Errorf("%s answered the watch %q with %s", s.Name, body, resp.Status)
			}
			cancel()
		}
		if a := askGateway(t, s, gatewayRequest{path: "/v3/kv/put", body: `{"key":"YQ=="}`}); a.Status != http.StatusOK {
			t.Errorf("%s is not well afterwards: %+v", s.Name, a)
		}
	}
}

func TestGatewayCanBeTurnedOff(t *testing.T) {
	servers := peers.StartBoth(t, "--enable-grpc-gateway=false")
	compareGateway(t, servers, slices.Concat(
		gatewayRequests("/v3/kv/put", `{"key":"YQ=="}`), gatewayRequests("/v3beta/kv/put", `{"key":"YQ=="}`), gatewayRequests("/v3/watch", "{}"),
		[]gatewayRequest{{method: "GET", path: "/v3/kv/put"}, {method: "OPTIONS", path: "/v3/kv/put"}}))
}
