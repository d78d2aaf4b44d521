package main

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// line stands between a client and the server: it remembers what was asked, and can be cut.
type line struct {
	inner http.RoundTripper
	mu    sync.Mutex
	down  bool
	asked []string
	open  map[io.Closer]struct{}
}

// tapped returns a copy of config whose requests go through a line.
func tapped(config *rest.Config) (*rest.Config, *line) {
	tap := &line{open: map[io.Closer]struct{}{}}
	config = rest.CopyConfig(config)
	config.Wrap(func(inner http.RoundTripper) http.RoundTripper {
		tap.inner = inner
		return tap
	})
	return config, tap
}

// RoundTrip sends a request, unless the line is cut.
func (l *line) RoundTrip(request *http.Request) (*http.Response, error) {
	l.mu.Lock()
	l.asked = append(l.asked, request.Method+" "+request.URL.RequestURI())
	down := l.down
	l.mu.Unlock()
	if down {
		return nil, errors.New("the line is cut")
	}
	response, err := l.inner.RoundTrip(request)
	if err == nil && request.URL.Query().Get("watch") != "" {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open[response.Body] = struct{}{}
	}
	return response, err
}

// cut breaks every watch and fails every request until heal.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for body := range l.open {
		body.Close()
		delete(l.open, body)
	}
}

// heal lets requests through again, and forgets what was asked before.
func (l *line) heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down, l.asked = false, nil
}

// count tells how many requests held every one of the parts.
func (l *line) count(parts ...string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := 0
	for _, asked := range l.asked {
		holds := true
		for _, part := range parts {
			if without, negative := strings.CutPrefix(part, "!"); negative {
				holds = holds && !strings.Contains(asked, without)
			} else {
				holds = holds && strings.Contains(asked, part)
			}
		}
		if holds {
			count++
		}
	}
	return count
}
