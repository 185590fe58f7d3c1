package differential

import (
	"bytes"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// The version a client says it has must be text. A client library sends no other: the frames are our
// own here.
func TestClientVersionsAreAnsweredAlike(t *testing.T) {
	p := startPair(t, plain)
	defer p.end()
	for _, version := range []string{"3.7", "é", "\xff", "3.\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"} {
		want, got := callAsVersion(t, p.reference.Addr, version), callAsVersion(t, p.kvorum.Addr, version)
		if want != got {
			t.Errorf("%q: the reference says %q, kvorum %q", version, want, got)
		}
	}
}

// callAsVersion makes a call and returns its code and text.
func callAsVersion(t *testing.T, addr, version string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(stepTimeout))
	conn.Write([]byte(http2.ClientPreface))
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.WriteSettings()
	framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: callHeaders(version), EndHeaders: true})
	framer.WriteData(1, true, []byte{0, 0, 0, 0, 3, 0x0a, 1, 'k'}) // a range of "k"
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatalf("%s, %q: %v", addr, version, err)
		}
		headers, ok := frame.(*http2.MetaHeadersFrame)
		if !ok || !headers.StreamEnded() {
			continue
		}
		said := map[string]string{}
		for _, field := range headers.Fields {
			said[field.Name] = field.Value
		}
		return said["grpc-status"] + ": " + said["grpc-message"]
	}
}

func callHeaders(version string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range []hpack.HeaderField{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":authority", Value: "x"},
		{Name: ":path", Value: "/etcdserverpb.KV/Range"}, {Name: "content-type", Value: "application/grpc"},
		{Name: "te", Value: "trailers"}, {Name: "client-api-version", Value: version},
	} {
		encoder.WriteField(field)
	}
	return block.Bytes()
}
