package differential

import "context"

// page is a request to the HTTP side of the client port.
type page struct{ method, path string }

func (p page) String() string { return p.method + " " + p.path }

func (p page) do(ctx context.Context, m *member) answer {
	text, err := m.get(ctx, p.method, p.path)
	if err != nil {
		return failed(err)
	}
	return answer{Text: text}
}
