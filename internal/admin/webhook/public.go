package webhook

import (
	"net/netip"
	"slices"
)

// metadata is where clouds serve a machine's credentials besides link-local addresses.
var metadata = []netip.Addr{ //nolint:gochecknoglobals // a table
	netip.MustParseAddr("fd00:ec2::254"),   // Amazon
	netip.MustParseAddr("100.100.100.200"), // Alibaba
	netip.MustParseAddr("192.0.0.192"),     // Oracle
	netip.MustParseAddr("168.63.129.16"),   // Azure
}

// special are the ranges of IPv4, and of the global part of IPv6, that are not somebody's public address: the special-purpose
// registries of the IANA (RFC 6890), multicast and what is reserved.
var special = []netip.Prefix{ //nolint:gochecknoglobals // a table
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("10.0.0.0/8"),      // private
	netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local, with the metadata services of clouds
	netip.MustParsePrefix("172.16.0.0/12"),   // private
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("192.168.0.0/16"),  // private
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("224.0.0.0/4"),     // multicast
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, broadcast

	netip.MustParsePrefix("2001::/23"),     // protocol assignments, with Teredo
	netip.MustParsePrefix("2001:db8::/32"), // documentation
	netip.MustParsePrefix("2002::/16"),     // 6to4
	netip.MustParsePrefix("3fff::/20"),     // documentation
}

// globalUnicast is the only part of IPv6 that is handed out: what lies outside of it is loopback, mapped, NAT64
// (64:ff9b::/96), unique local, link-local, multicast or nothing.
var globalUnicast = netip.MustParsePrefix("2000::/3") //nolint:gochecknoglobals // a constant

// public reports whether an address is one of the public Internet.
func public(addr netip.Addr) bool {
	addr = addr.Unmap()
	if !addr.IsValid() || addr.Zone() != "" || addr.Is6() && !globalUnicast.Contains(addr) || slices.Contains(metadata, addr) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(addr) })
}
