package compat

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"kvorum/tests/compat/peers"

	// Each import registers the original's descriptors of one or more packages.
	_ "go.etcd.io/etcd/api/v3/authpb"
	_ "go.etcd.io/etcd/api/v3/etcdserverpb"
	_ "go.etcd.io/etcd/api/v3/membershippb"
	_ "go.etcd.io/etcd/api/v3/mvccpb"
	_ "go.etcd.io/etcd/api/v3/versionpb"
	_ "go.etcd.io/etcd/server/v3/etcdserver/api/snap/snappb"
	_ "go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	_ "go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	_ "go.etcd.io/etcd/server/v3/lease/leasepb"
	_ "go.etcd.io/etcd/server/v3/storage/wal/walpb"
	_ "go.etcd.io/raft/v3/raftpb"
	_ "google.golang.org/genproto/googleapis/api/annotations"
	_ "google.golang.org/grpc/health/grpc_health_v1"
)

// Packages of which we must have everything the original has. google.api is not among them: there
// only what we have must agree.
var wholePackages = []protoreflect.FullName{
	"authpb", "etcdserverpb", "grpc.health.v1", "leasepb", "membershippb", "mvccpb", "raftpb", "snappb",
	"v3electionpb", "v3lockpb", "versionpb", "walpb",
}

// Every message, enum, service and extension of proto/ equals the one of the same full name that the
// original was built from: names, numbers, types, labels, packing, oneofs, streaming, HTTP rules and
// version marks; and none is missing.
func TestProtoFilesDescribeTheOriginalsWire(t *testing.T) {
	ours := compileProtoFiles(t)
	have := declarations(ours)
	want := declarations(protoregistry.GlobalFiles)

	compared := 0
	for name, d := range have {
		other, ok := want[name]
		if !ok {
			t.Errorf("%s: the original has no such declaration", name)
			continue
		}
		compared++
		if diff := cmp.Diff(describe(other), describe(d)); diff != "" {
			t.Errorf("%s differs (- original, + ours):\n%s", name, diff)
		}
	}
	for name, d := range want {
		if _, ok := have[name]; !ok && isWhole(d.ParentFile().Package()) {
			t.Errorf("%s: missing in proto/", name)
		}
	}
	if compared < 160 {
		t.Errorf("only %d declarations compared: the comparison lost its subject", compared)
	}
	t.Logf("%d declarations compared", compared)
}

// The comparison above is only worth something if it sees a difference.
func TestDescribeSeesEveryKindOfDifference(t *testing.T) {
	const source = `syntax = "proto3"; package p; import "proto/http.proto";
		message M { repeated int64 a = 1; oneof o { string b = 2; bytes c = 3; } enum E { X = 0; } E e = 4; int64 n = 5; }
		service S { rpc Do(M) returns (stream M) { option (google.api.http) = {post: "/a" body: "*"}; } }`
	base := describeSource(t, source)
	for _, change := range [][2]string{
		{"int64 a", "uint64 a"}, {"repeated int64 a = 1", "int64 a = 1"}, {"a = 1", "a = 9"}, {" a =", " z ="},
		{"a = 1;", "a = 1 [packed=false];"}, {"oneof o { string b = 2; bytes c = 3; }", "string b = 2; bytes c = 3;"},
		{"E e = 4", "int32 e = 4"}, {"X = 0;", "X = 0; Y = 1;"}, {"returns (stream M)", "returns (M)"},
		{`"/a"`, `"/b"`}, {"rpc Do", "rpc Did"}, {"int64 n = 5", "optional int64 n = 5"},
	} {
		changed := strings.ReplaceAll(source, change[0], change[1])
		if describeSource(t, changed) == base {
			t.Errorf("%q for %q goes unnoticed", change[1], change[0])
		}
	}
}

func isWhole(pkg protoreflect.FullName) bool {
	for _, w := range wholePackages {
		if pkg == w {
			return true
		}
	}
	return false
}

// files is what protodesc.NewFiles and the global registry have in common.
type files interface {
	RangeFiles(func(protoreflect.FileDescriptor) bool)
}

// declarations lists what stands at the top level of all files by full name.
func declarations(fs files) map[protoreflect.FullName]protoreflect.Descriptor {
	all := map[protoreflect.FullName]protoreflect.Descriptor{}
	fs.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if f.Package() == "google.protobuf" {
			return true
		}
		for i := range f.Messages().Len() {
			all[f.Messages().Get(i).FullName()] = f.Messages().Get(i)
		}
		for i := range f.Enums().Len() {
			all[f.Enums().Get(i).FullName()] = f.Enums().Get(i)
		}
		for i := range f.Services().Len() {
			all[f.Services().Get(i).FullName()] = f.Services().Get(i)
		}
		for i := range f.Extensions().Len() {
			all[f.Extensions().Get(i).FullName()] = f.Extensions().Get(i)
		}
		return true
	})
	return all
}

// describe renders a declaration, with what its descriptor only implies spelled out.
func describe(d protoreflect.Descriptor) string {
	var m proto.Message
	var implied string
	switch d := d.(type) {
	case protoreflect.MessageDescriptor:
		m, implied = protodesc.ToDescriptorProto(d), impliedByFields(d)
	case protoreflect.EnumDescriptor:
		m, implied = protodesc.ToEnumDescriptorProto(d), fmt.Sprintf("closed: %v\n", d.IsClosed())
	case protoreflect.ServiceDescriptor:
		m = protodesc.ToServiceDescriptorProto(d)
	case protoreflect.ExtensionDescriptor:
		x := protodesc.ToFieldDescriptorProto(d)
		x.Proto3Optional = nil // says how the declaring file spells it, not what it is
		m = x
	}
	text := prototext.MarshalOptions{Multiline: true}.Format(m)
	// The text form puts one or two blanks at random, and an empty option block says nothing.
	text = strings.ReplaceAll(text, ":  ", ": ")
	return strings.ReplaceAll(text, "  options: {}\n", "") + implied
}

// impliedByFields says what depends on the syntax of the file: packing and presence.
func impliedByFields(m protoreflect.MessageDescriptor) string {
	var b strings.Builder
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		fmt.Fprintf(&b, "%s: packed %v, presence %v, utf8 %v\n", f.FullName(), f.IsPacked(), f.HasPresence(),
			f.Kind() == protoreflect.StringKind && m.ParentFile().Syntax() == protoreflect.Proto3)
	}
	for i := range m.Messages().Len() {
		b.WriteString(impliedByFields(m.Messages().Get(i)))
	}
	return b.String()
}

func compileProtoFiles(t *testing.T) *protoregistry.Files {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(peers.SourceRoot(), "proto", "*.proto"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in proto/: %v", err)
	}
	return compile(t, peers.SourceRoot(), names...)
}

func describeSource(t *testing.T, source string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.proto")
	if err := os.WriteFile(name, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	all := declarations(compile(t, filepath.Dir(name), name))
	return describe(all["p.M"]) + describe(all["p.S"])
}

func compile(t *testing.T, dir string, names ...string) *protoregistry.Files {
	t.Helper()
	out := filepath.Join(t.TempDir(), "set")
	args := []string{"-I" + dir, "-I" + peers.SourceRoot(), "--include_imports", "--descriptor_set_out=" + out}
	if msg, err := exec.Command("protoc", append(args, names...)...).CombinedOutput(); err != nil {
		t.Fatalf("protoc: %v\n%s", err, msg)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	fs, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}
