package differential

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// A server that takes longer than this hangs.
const stepTimeout = 30 * time.Second

// step is one thing done to each server. It holds all it needs, whatever was done before it.
type step interface {
	do(ctx context.Context, m *member) answer
	String() string
}

// answer is what a client has got to see of a step.
type answer struct {
	Messages []proto.Message
	Error    string // code and text, of the call or the end of the stream
	Text     string // of what is no message
}

func failed(err error) answer { return answer{Error: errorText(err)} }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	s := status.Convert(err)
	return s.Code().String() + ": " + s.Message()
}

func answered(messages ...proto.Message) answer { return answer{Messages: messages} }

func (a answer) String() string {
	var lines []string
	for _, m := range a.Messages {
		lines = append(lines, short(m))
	}
	if a.Text != "" {
		lines = append(lines, a.Text)
	}
	if a.Error != "" {
		lines = append(lines, a.Error)
	}
	return strings.Join(lines, "\n")
}

const shownCharacters = 400

// short prints a value on one line, which need not be the whole of it.
func short(value any) string {
	text := fmt.Sprint(value)
	if len(text) <= shownCharacters {
		return text
	}
	return fmt.Sprintf("%s... (%d characters)", text[:shownCharacters], len(text))
}
