package redisstore

import (
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// keys builds the name of every key and of the channel. All of them share the hash tag {wg:<namespace>}, which makes
// a Cluster keep them in one slot: scripts and transactions may only touch keys of one slot.
type keys struct {
	tag string
}

// maxNamespace is the longest name of a namespace, in bytes.
const maxNamespace = 63

// keysOf gives the keys of a namespace: letters, digits, dot, underscore and dash, 1 to 63 of them. Anything else could
// end the hash tag or turn a SCAN pattern or an ACL rule into one that matches too much; it is an *InvalidError.
func keysOf(namespace string) (keys, error) {
	ok := namespace != "" && len(namespace) <= maxNamespace
	for _, c := range namespace {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c))
	}
	if !ok {
		return keys{}, state.Invalid("namespace", "%.80q cannot be a namespace: it is made of 1 to %d of a-z A-Z 0-9 . _ -", namespace, maxNamespace)
	}
	return keys{tag: "{wg:" + namespace + "}"}, nil
}

// meta is the hash with epoch, gen, rev and head, the last sign of life of an admin (hb), and the nonce of the seed.
func (k keys) meta() string { return k.tag + ":meta" }

// state is the hash with the fields of the document, stamped with the epoch and revision they belong to.
func (k keys) state() string { return k.tag + ":state" }

// private is the hash with what never stands in the log, stamped with the epoch.
func (k keys) private() string { return k.tag + ":private" }

// log is the stream of entries; the id of revision r is "r-0".
func (k keys) log() string { return k.tag + ":log" }

// idem is the string that holds the frame committed under an idempotency id, for 24 h.
func (k keys) idem(id string) string { return k.tag + ":idem:" + id }

// staged is the hash with the state of a seed that is under way, for some minutes.
func (k keys) staged(nonce string) string { return k.tag + ":staged:" + nonce }

// events is the channel on which frames are published.
func (k keys) events() string { return k.tag + ":ev" }

// fleet is the string with the last report of an instance, for 24 h.
func (k keys) fleet(id string) string { return k.fleetPrefix() + id }

// fleetPrefix begins the keys of all reports.
func (k keys) fleetPrefix() string { return k.tag + ":fleet:" }

// fleetPattern matches the keys of all reports in SCAN. Namespaces hold no character that is special there.
func (k keys) fleetPattern() string { return k.fleetPrefix() + "*" }

// desk is the hash with what lies on a desk, and its lease (@owner, @token, @until).
func (k keys) desk(name string) string { return k.tag + ":desk:" + name }
