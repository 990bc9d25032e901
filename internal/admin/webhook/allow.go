package webhook

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// errForbidden is what an address that no delivery may go to is refused with.
var errForbidden = errors.New("is not a public address: list it in allow, if it is meant")

// target is what a connection was asked for, before its name was resolved.
type target struct {
	host, port string
	secure     bool
}

// allowed is one entry of an allow-list: either a prefix or a host; a port where it is for that port only.
type allowed struct {
	prefix netip.Prefix
	host   string
	port   string
}

type allowList []allowed

// parseAllow reads an allow-list; what it refuses is an *state.InvalidError.
func parseAllow(list []string) (allowList, error) {
	var all allowList
	for _, text := range list {
		one, ok := parseAllowed(text)
		if !ok {
			return nil, state.Invalid("allow", "%q is no receiver to allow: write a CIDR, an address or a host, the last two with :port if need be", text)
		}
		all = append(all, one)
	}
	return all, nil
}

func parseAllowed(text string) (allowed, bool) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return allowed{prefix: prefix.Masked()}, !prefix.Addr().Is4In6()
	}
	host, port := text, ""
	if h, p, err := net.SplitHostPort(text); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return allowed{}, false
		}
		host, port = h, p
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return allowed{prefix: netip.PrefixFrom(addr, addr.BitLen()), port: port}, addr.Zone() == ""
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "" || len(host) > 253 || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return allowed{}, false
	}
	return allowed{host: host, port: port}, true
}

// check says why a connection to addr, which the target's name resolved to, is not made; nil when it may be.
//
// Public addresses may be connected to with TLS. Anything else must be listed. A host that is listed stands for what it
// resolves to, but never for a link-local address: that is where clouds keep the credentials of a machine.
func (l allowList) check(t target, addr netip.Addr) error {
	addr = addr.Unmap()
	if addr.Zone() != "" {
		return fmt.Errorf("%s %w", addr, errForbidden)
	}
	if l.lists(t, addr) || t.secure && public(addr) {
		return nil
	}
	if public(addr) {
		return fmt.Errorf("%s must be listed in allow to be sent to without TLS", t.host)
	}
	return fmt.Errorf("%s %w", addr, errForbidden)
}

func (l allowList) lists(t target, addr netip.Addr) bool {
	host := strings.TrimSuffix(strings.ToLower(t.host), ".")
	for _, a := range l {
		switch {
		case a.port != "" && a.port != t.port:
		case a.prefix.IsValid():
			if a.prefix.Contains(addr) {
				return true
			}
		case a.host == host && !neverByName(addr):
			return true
		}
	}
	return false
}

// neverByName are addresses that only an address or a CIDR in the list admits.
func neverByName(addr netip.Addr) bool {
	return addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() || slices.Contains(metadata, addr)
}
