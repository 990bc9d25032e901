package people

import (
	"math"
	"net/netip"
	"sync"
	"time"
)

// allowance is how many tries may come at once, and how fast they grow back.
type allowance struct {
	burst float64
	every time.Duration
}

// The three limits of logins. A try needs all of them:
//   - of one user from one address: this is what guessing meets first, and it locks out nobody else;
//   - of one user from everywhere: guessing from many addresses;
//   - of one address for all users: trying names.
//
// The second and the third do not hold for a user and an address that logged in successfully within trustFor, so that
// an attack neither locks a user out of the usual place nor all users behind one proxy.
func perUserAndPeer() allowance { return allowance{burst: 6, every: 10 * time.Second} }
func perUser() allowance        { return allowance{burst: 30, every: 2 * time.Second} }
func perPeer() allowance        { return allowance{burst: 30, every: time.Second} }

const (
	trustFor   = 24 * time.Hour
	maxBuckets = 20000 // of each kind; when there are more, those that are full again are dropped, then any
)

// bucket counts tries; it is full again by itself.
type bucket struct {
	left float64
	at   time.Time
}

type pair struct{ user, peer string }

// limits slows down guessing.
type limits struct {
	mu      sync.Mutex
	pairs   map[pair]bucket
	users   map[string]bucket
	peers   map[string]bucket
	trusted map[pair]time.Time
}

func newLimits() *limits {
	return &limits{
		pairs: map[pair]bucket{}, users: map[string]bucket{}, peers: map[string]bucket{}, trusted: map[pair]time.Time{},
	}
}

// take counts a try and returns 0, or how long to wait before the next.
func (l *limits) take(user, peer string, now time.Time) time.Duration {
	who := pair{user: user, peer: Subnet(peer)}
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := waitFor(l.pairs, who, perUserAndPeer(), now)
	if !l.trust(who, now) {
		wait = max(wait, waitFor(l.users, user, perUser(), now), waitFor(l.peers, who.peer, perPeer(), now))
	}
	if wait > 0 {
		return wait
	}
	spend(l.pairs, who, perUserAndPeer(), now)
	spend(l.users, user, perUser(), now)
	spend(l.peers, who.peer, perPeer(), now)
	return 0
}

// trusts reports whether the user logged in from there lately.
func (l *limits) trusts(user, peer string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trust(pair{user: user, peer: Subnet(peer)}, now)
}

func (l *limits) trust(who pair, now time.Time) bool { return now.Sub(l.trusted[who]) <= trustFor }

// succeeded gives back the try and trusts the pair from now on.
func (l *limits) succeeded(user, peer string, now time.Time) {
	who := pair{user: user, peer: Subnet(peer)}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pairs, who)
	giveBack(l.users, user)
	giveBack(l.peers, who.peer)
	if len(l.trusted) >= maxBuckets {
		clear(l.trusted)
	}
	l.trusted[who] = now
}

func (b bucket) filled(a allowance, now time.Time) float64 {
	return min(a.burst, b.left+float64(now.Sub(b.at))/float64(a.every))
}

func waitFor[K comparable](m map[K]bucket, k K, a allowance, now time.Time) time.Duration {
	b, ok := m[k]
	if !ok {
		return 0
	}
	if left := b.filled(a, now); left < 1 {
		return time.Duration(math.Ceil((1-left)*float64(a.every)/float64(time.Second))) * time.Second
	}
	return 0
}

func spend[K comparable](m map[K]bucket, k K, a allowance, now time.Time) {
	b, ok := m[k]
	if !ok {
		makeRoom(m, a, now)
		b = bucket{left: a.burst, at: now}
	}
	m[k] = bucket{left: b.filled(a, now) - 1, at: now}
}

func giveBack[K comparable](m map[K]bucket, k K) {
	if b, ok := m[k]; ok {
		b.left++
		m[k] = b
	}
}

// makeRoom keeps a map bounded: an attacker chooses the names.
func makeRoom[K comparable](m map[K]bucket, a allowance, now time.Time) {
	if len(m) < maxBuckets {
		return
	}
	for k, b := range m {
		if b.filled(a, now) >= a.burst {
			delete(m, k)
		}
	}
	for k := range m {
		if len(m) < maxBuckets*3/4 {
			return
		}
		delete(m, k)
	}
}

// Subnet is where a peer is counted with others: its address without the port; of IPv6 the /64 that one host commonly has.
func Subnet(peer string) string {
	ap, err := netip.ParseAddrPort(peer)
	if err != nil {
		return peer
	}
	a := ap.Addr().Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
