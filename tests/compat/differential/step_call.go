package differential

import (
	"context"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/emptypb"
)

// call is a request with one answer, or with a stream of them.
type call struct {
	method   string // "etcdserverpb.KV/Put"
	request  proto.Message
	bytes    []byte   // instead of `request`: what may be no message at all
	metadata []string // keys and values in turn
	gzip     bool
}

func (c call) String() string {
	text := c.method + " {" + short(c.request) + "}"
	if c.request == nil {
		text = fmt.Sprintf("%s, bytes %.200q", c.method, c.bytes)
	}
	if c.metadata != nil {
		text += fmt.Sprintf(" with %q", c.metadata)
	}
	if c.gzip {
		text += " compressed"
	}
	return text
}

func (c call) do(ctx context.Context, m *member) answer {
	if c.metadata != nil {
		ctx = metadata.AppendToOutgoingContext(ctx, c.metadata...)
	}
	options := []grpc.CallOption{grpc.ForceCodec(bytesOrMessage{})}
	if c.gzip {
		options = append(options, grpc.UseCompressor(gzip.Name))
	}
	response, streams := responseOf(c.method)
	if streams {
		return c.stream(ctx, m, response, options)
	}
	if err := m.conn.Invoke(ctx, "/"+c.method, c.payload(), response, options...); err != nil {
		return failed(err)
	}
	m.sawHeader(response)
	return answered(response)
}

func (c call) payload() any {
	if c.request == nil {
		return c.bytes
	}
	return c.request
}

func (c call) stream(ctx context.Context, m *member, response proto.Message, options []grpc.CallOption) (a answer) {
	stream, err := m.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/"+c.method, options...)
	if err != nil {
		return failed(err)
	}
	if err = stream.SendMsg(c.payload()); err == nil {
		err = stream.CloseSend()
	}
	for err == nil || err == io.EOF { // io.EOF of SendMsg: the reason is in RecvMsg
		next := proto.Clone(response)
		if err = stream.RecvMsg(next); err == nil {
			m.sawHeader(next)
			a.Messages = append(a.Messages, next)
		} else if err == io.EOF {
			return a
		}
	}
	a.Error = errorText(err)
	return a
}

// responseOf returns an empty answer of a method, whose like may come in a stream. A method that
// nobody has is given some message.
func responseOf(method string) (response proto.Message, streams bool) {
	name := protoreflect.FullName(strings.Replace(method, "/", ".", 1))
	if found, err := protoregistry.GlobalFiles.FindDescriptorByName(name); err == nil {
		if descriptor, ok := found.(protoreflect.MethodDescriptor); ok {
			kind, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.Output().FullName())
			if err != nil {
				panic(err)
			}
			return kind.New().Interface(), descriptor.IsStreamingServer()
		}
	}
	return &emptypb.Empty{}, false
}

// bytesOrMessage lets a call send bytes as they are.
type bytesOrMessage struct{}

func (bytesOrMessage) Name() string { return "proto" }

func (bytesOrMessage) Marshal(v any) ([]byte, error) {
	if bytes, ok := v.([]byte); ok {
		return bytes, nil
	}
	return proto.Marshal(v.(proto.Message))
}

func (bytesOrMessage) Unmarshal(data []byte, v any) error {
	return proto.Unmarshal(data, v.(proto.Message))
}
