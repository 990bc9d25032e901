package serve

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Address is where a server listens: a TCP address, or the path of a Unix socket.
type Address struct {
	// Network is "tcp" or "unix".
	Network string
	// Target is HOST:PORT, or an absolute path.
	Target string
	// Mode are the permissions of the socket file; a client needs the right to write.
	Mode os.FileMode
}

// socketMode lets every user of the machine connect, as on a TCP port; a narrower one is asked for by ?mode=.
const socketMode os.FileMode = 0o666

// maxSocketPath is the longest path the kernel takes for a socket (sun_path of unix(7), without the closing zero).
const maxSocketPath = 107

// ParseAddress reads HOST:PORT (the host may be empty, the port 0) or unix:///path, with ?mode=0660 for the
// permissions of the socket file.
func ParseAddress(text string) (Address, error) {
	if rest, ok := strings.CutPrefix(text, "unix://"); ok {
		return parseSocket(text, rest)
	}
	_, port, err := net.SplitHostPort(text)
	if err != nil || strings.Contains(text, "/") {
		return Address{}, fmt.Errorf("cannot listen on %q: write HOST:PORT or unix:///path", text)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return Address{}, fmt.Errorf("cannot listen on %q: the port is a number from 0 to 65535, not %q", text, port)
	} else if n == 0 && port != "0" {
		return Address{}, fmt.Errorf("cannot listen on %q: write the port 0 as 0", text)
	}
	return Address{Network: "tcp", Target: text}, nil
}

func parseSocket(text, rest string) (Address, error) {
	path, query, _ := strings.Cut(rest, "?")
	switch {
	case !filepath.IsAbs(path) || strings.HasSuffix(path, "/"):
		return Address{}, fmt.Errorf("cannot listen on %q: the path of a socket is absolute: unix:///run/waygate/authz.sock", text)
	case len(temporary(path)) > maxSocketPath:
		return Address{}, fmt.Errorf("cannot listen on %q: the path of a socket has at most %d bytes", text, maxSocketPath-len(temporary("")))
	}
	a := Address{Network: "unix", Target: filepath.Clean(path), Mode: socketMode}
	options, err := url.ParseQuery(query)
	if err != nil {
		return Address{}, fmt.Errorf("cannot listen on %q: %w", text, err)
	}
	for name, values := range options {
		mode, err := strconv.ParseUint(values[0], 8, 9)
		if name != "mode" || err != nil {
			return Address{}, fmt.Errorf("cannot listen on %q: the one option is the permissions of the socket in octal: ?mode=0660", text)
		}
		a.Mode = os.FileMode(mode)
	}
	return a, nil
}

// temporary is the name under which this process binds a socket before it puts it in its place.
func temporary(path string) string { return path + "." + strconv.Itoa(os.Getpid()) }
