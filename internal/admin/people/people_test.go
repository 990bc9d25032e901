package people_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
)

const peer = "192.0.2.1:1234"

func newStore(t *testing.T) *memstore.Store {
	t.Helper()
	s := memstore.New()
	require.NoError(t, s.Seed(t.Context(), state.Meta{}, state.Genesis(1), nil))
	return s
}

func newPeople(t *testing.T, store state.Store, password, file, secret string) *people.People {
	t.Helper()
	log := zaptest.NewLogger(t)
	roster, err := people.NewRoster("alice", password, file, log)
	require.NoError(t, err)
	p := people.New(people.Config{Roster: roster, Store: store, Secret: secret, Log: log})
	require.NoError(t, p.Refresh(t.Context()))
	return p
}

func login(t *testing.T, p *people.People, name, password string) people.Session {
	t.Helper()
	s, err := p.Login(t.Context(), name, password, state.PlatformCLI, peer)
	require.NoError(t, err)
	return s
}

func TestATokenSaysWhoCarriesIt(t *testing.T) {
	p := newPeople(t, newStore(t), "sesame", "", "key")
	s := login(t, p, "alice", "sesame")
	who, err := p.Verify(s.Token)
	require.NoError(t, err)
	require.Equal(t, s.Principal, who)
	require.Equal(t, "alice", who.Name)
	require.Equal(t, people.Admin, who.Role)
	require.Equal(t, state.PlatformCLI, who.Platform)
	require.WithinDuration(t, time.Now().Add(24*time.Hour), who.Expires, 2*time.Second)
}

func TestTermsFollowThePlatform(t *testing.T) {
	p := newPeople(t, newStore(t), "sesame", "", "key")
	tests := []struct {
		name string
		on   state.Platform
		want state.Platform
		term time.Duration
	}{
		{"cli", state.PlatformCLI, state.PlatformCLI, 24 * time.Hour},
		{"sdk", state.PlatformSDK, state.PlatformSDK, 365 * 24 * time.Hour},
		{"missing", "", state.PlatformCLI, 24 * time.Hour},
		{"unknown", "toaster", state.PlatformCLI, 24 * time.Hour},
		{"nobody logs in as the system", state.PlatformSystem, state.PlatformCLI, 24 * time.Hour},
		{"the form", state.PlatformDashboard, state.PlatformDashboard, 24 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := p.Login(t.Context(), "alice", "sesame", tt.on, peer)
			require.NoError(t, err)
			require.Equal(t, tt.want, s.Platform)
			require.WithinDuration(t, time.Now().Add(tt.term), s.Expires, 2*time.Second)
		})
	}
}

func TestNoByteOfATokenCanChange(t *testing.T) {
	p := newPeople(t, newStore(t), "sesame", "", "key")
	token := login(t, p, "alice", "sesame").Token
	for i := range token {
		changed := []byte(token)
		changed[i] ^= 1
		_, err := p.Verify(string(changed))
		require.ErrorIs(t, err, people.ErrToken, "byte %d", i)
	}
	for _, text := range []string{"", ".", "wg_.", token + "A", token[:len(token)-1], strings.ToUpper(token)} {
		_, err := p.Verify(text)
		require.ErrorIs(t, err, people.ErrToken, text)
	}
}

func TestATokenDiesWith(t *testing.T) {
	store := newStore(t)
	token := login(t, newPeople(t, store, "sesame", "", "key"), "alice", "sesame").Token
	tests := []struct {
		name, password, secret string
		want                   error
	}{
		{"nothing: a restart keeps it", "sesame", "key", nil},
		{"the password", "another", "key", people.ErrToken},
		{"the secret", "sesame", "another", people.ErrToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newPeople(t, store, tt.password, "", tt.secret).Verify(token)
			require.ErrorIs(t, err, tt.want)
		})
	}
}

func TestWithoutASecretAdminsShareOne(t *testing.T) {
	store := newStore(t)
	one, two := newPeople(t, store, "sesame", "", ""), newPeople(t, store, "sesame", "", "")
	_, err := two.Verify(login(t, one, "alice", "sesame").Token)
	require.NoError(t, err)

	_, err = newPeople(t, newStore(t), "sesame", "", "").Verify(login(t, one, "alice", "sesame").Token)
	require.ErrorIs(t, err, people.ErrToken, "another store has another secret")
}

func TestLogoutReachesEveryAdminAndSurvivesRestarts(t *testing.T) {
	store := newStore(t)
	one, two := newPeople(t, store, "sesame", "", "key"), newPeople(t, store, "sesame", "", "key")
	s, other := login(t, one, "alice", "sesame"), login(t, one, "alice", "sesame")
	require.NoError(t, one.Logout(t.Context(), s.Principal))

	_, err := one.Verify(s.Token)
	require.ErrorIs(t, err, people.ErrToken)
	require.NoError(t, two.Refresh(t.Context()))
	_, err = two.Verify(s.Token)
	require.ErrorIs(t, err, people.ErrToken)
	_, err = newPeople(t, store, "sesame", "", "key").Verify(s.Token)
	require.ErrorIs(t, err, people.ErrToken)
	_, err = two.Verify(other.Token)
	require.NoError(t, err, "only the one token ends")
}

func TestRunFollowsWithoutBeingAskedTwice(t *testing.T) {
	store := newStore(t)
	one := newPeople(t, store, "sesame", "", "key")
	s := login(t, one, "alice", "sesame")
	synctest.Test(t, func(t *testing.T) {
		two := newPeople(t, store, "sesame", "", "key")
		go two.Run(t.Context())
		require.NoError(t, one.Logout(t.Context(), s.Principal))
		two.Changed()
		synctest.Wait()
		_, err := two.Verify(s.Token)
		require.ErrorIs(t, err, people.ErrToken)
	})
}

func TestMachineTokens(t *testing.T) {
	store := newStore(t)
	p, other := newPeople(t, store, "sesame", "", "key"), newPeople(t, store, "sesame", "", "key")
	admin := login(t, p, "alice", "sesame").Principal
	made, err := p.CreateToken(t.Context(), admin, "", "deploy-bot", people.Operator, 365*24*time.Hour)
	require.NoError(t, err)
	m, text := made.Machine, made.Text
	require.Equal(t, uint64(1), made.Receipt.Frame.Rev)
	require.NotContains(t, string(made.Receipt.Frame.Payload), m.ID, "what is private is not in the log")

	require.NoError(t, other.Refresh(t.Context()))
	who, err := other.Verify(text)
	require.NoError(t, err)
	require.Equal(t, people.Principal{
		Name: "deploy-bot", Platform: state.PlatformAPI, Role: people.Operator, TokenID: m.ID, Expires: m.Expires,
	}, who)
	listed, err := other.Tokens()
	require.NoError(t, err)
	require.Equal(t, []people.Machine{m}, listed)

	require.ErrorIs(t, p.RevokeToken(t.Context(), admin, "nobody"), state.ErrNotFound)
	require.NoError(t, p.RevokeToken(t.Context(), admin, m.ID))
	require.NoError(t, other.Refresh(t.Context()))
	for _, at := range []*people.People{p, other} {
		_, err = at.Verify(text)
		require.ErrorIs(t, err, people.ErrToken)
		listed, err = at.Tokens()
		require.NoError(t, err)
		require.Empty(t, listed)
	}
}

func TestATokenIsMadeOnceUnderOneKey(t *testing.T) {
	p := newPeople(t, newStore(t), "sesame", "", "key")
	admin := login(t, p, "alice", "sesame").Principal
	first, err := p.CreateToken(t.Context(), admin, "k", "bot", people.Viewer, time.Hour)
	require.NoError(t, err)
	again, err := p.CreateToken(t.Context(), admin, "k", "bot", people.Viewer, time.Hour)
	require.NoError(t, err)
	require.Equal(t, first.Text, again.Text)
	listed, err := p.Tokens()
	require.NoError(t, err)
	require.Len(t, listed, 1)
	_, err = p.CreateToken(t.Context(), admin, "k", "bot", people.Admin, time.Hour)
	require.ErrorContains(t, err, "Idempotency-Key")
	require.NoError(t, p.RevokeToken(t.Context(), admin, first.ID))
	_, err = p.CreateToken(t.Context(), admin, "k", "bot", people.Viewer, time.Hour)
	require.ErrorContains(t, err, "Idempotency-Key", "what was revoked stays so")
	require.NoError(t, p.RevokeToken(t.Context(), admin, first.ID))
}

func TestAMachineCannotBeNamedLikeAPerson(t *testing.T) {
	p := newPeople(t, newStore(t), "sesame", "", "key")
	admin := login(t, p, "alice", "sesame").Principal
	for _, name := range []string{"alice", "system", "Anonymous", "a b", "-x", strings.Repeat("x", 64)} {
		_, err := p.CreateToken(t.Context(), admin, "", name, people.Viewer, time.Hour)
		var invalid *state.InvalidError
		require.ErrorAs(t, err, &invalid, name)
	}
}

func TestUsersFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "users")
		write := func(text string) {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			time.Sleep(2 * time.Second) // of the bubble's clock: the file is looked at once a second
		}
		write("# people\n\nbob:" + people.HashPassword("one") + "\ncarol:" + people.HashPassword("two") + ":viewer\n")
		p := newPeople(t, newStore(t), "", path, "key")
		require.False(t, p.Open())
		bob, carol := login(t, p, "bob", "one"), login(t, p, "carol", "two")
		require.Equal(t, people.Operator, bob.Role)
		require.Equal(t, people.Viewer, carol.Role)

		write("bob:" + people.HashPassword("changed") + "\n# carol is gone, the file is longer now\n")
		for _, s := range []people.Session{bob, carol} {
			_, err := p.Verify(s.Token)
			require.ErrorIs(t, err, people.ErrToken, s.Name)
		}
		s := login(t, p, "bob", "changed")

		write("this is no users file at all, and it is long enough to be seen as another one")
		_, err := p.Verify(s.Token)
		require.NoError(t, err, "a file that cannot be read changes nothing")
	})
}

func TestUsersFileIsRefused(t *testing.T) {
	hash := people.HashPassword("x")
	dear := strings.Replace(hash, "m=19456", "m=99999999", 1)
	tests := []struct{ name, text, want string }{
		{"no hash", "bob", "name:argon2id-hash[:role]"},
		{"plain text", "bob:secret", "not an argon2id hash"},
		{"bcrypt", "bob:$2y$10$abcdefghijklmnopqrstuv", "not an argon2id hash"},
		{"role", "bob:" + hash + ":root", "viewer, operator, admin, instance"},
		{"twice", "bob:" + hash + "\nbob:" + hash, "twice"},
		{"the system", "system:" + hash, "cannot be a user's name"},
		{"costs", "bob:" + dear, "out of bounds"},
		{"also from the environment", "alice:" + hash, "WAYGATE_USER"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "users")
			require.NoError(t, os.WriteFile(path, []byte(tt.text), 0o600))
			_, err := people.NewRoster("alice", "sesame", path, zaptest.NewLogger(t))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestGuessingIsSlowAndLocksOutNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t, newStore(t), "sesame", "", "key")
		try := func(name, password, from string) error {
			_, err := p.Login(t.Context(), name, password, state.PlatformCLI, from)
			return err
		}
		tries := 0
		var many *people.TooManyError
		for ; tries < 20; tries++ {
			err := try("alice", "wrong", "192.0.2.66:1")
			if err != nil && !errors.Is(err, people.ErrCredentials) {
				require.ErrorAs(t, err, &many)
				break
			}
		}
		require.Equal(t, 6, tries)
		require.Equal(t, 10*time.Second, many.After)
		require.ErrorAs(t, try("alice", "sesame", "192.0.2.66:2"), &many, "the right password waits there too")
		require.NoError(t, try("alice", "sesame", "192.0.2.7:1"), "but not from elsewhere")

		time.Sleep(many.After)
		require.NoError(t, try("alice", "sesame", "192.0.2.66:3"))
	})
}

func TestAFloodFromOneProxySparesWhoIsKnownThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t, newStore(t), "sesame", "", "key")
		login(t, p, "alice", "sesame")
		var many *people.TooManyError
		flooded := false
		for i := range 40 {
			name := "nobody" + string(rune('a'+i%26)) + string(rune('a'+i/26))
			_, err := p.Login(t.Context(), name, "x", state.PlatformCLI, peer)
			flooded = flooded || errors.As(err, &many)
		}
		require.True(t, flooded, "names cannot be tried without end")
		login(t, p, "alice", "sesame")
	})
}

func TestManyLoginsAtOnceAllAnswer(t *testing.T) {
	p := newPeople(t, newStore(t), "sesame", "", "key")
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, err := p.Login(t.Context(), "alice", "sesame", state.PlatformCLI, "198.51.100."+string(rune('0'+i%10))+":1")
			var many *people.TooManyError
			if err != nil && !errors.As(err, &many) {
				t.Errorf("login: %v", err)
			}
		})
	}
	wg.Wait()
}

func TestRoles(t *testing.T) {
	tests := []struct {
		role                                     people.Role
		read, change, admin, report, stream, own bool
	}{
		{people.Viewer, true, false, false, false, true, true},
		{people.Operator, true, true, false, true, true, true},
		{people.Admin, true, true, true, true, true, true},
		{people.Instance, false, false, false, true, true, true},
		{"", false, false, false, false, false, false},
	}
	for _, tt := range tests {
		t.Run(string(tt.role), func(t *testing.T) {
			scopes := []people.Scope{people.ScopeRead, people.ScopeChange, people.ScopeAdmin, people.ScopeReport, people.ScopeStream, people.ScopeSelf}
			for i, want := range []bool{tt.read, tt.change, tt.admin, tt.report, tt.stream, tt.own} {
				require.Equal(t, want, tt.role.May(scopes[i]), scopes[i])
			}
		})
	}
}

func TestNobodyIsLetInBeforeRevocationsAreKnown(t *testing.T) {
	store := newStore(t)
	token := login(t, newPeople(t, store, "sesame", "", "key"), "alice", "sesame").Token
	log := zaptest.NewLogger(t)
	roster, err := people.NewRoster("alice", "sesame", "", log)
	require.NoError(t, err)
	fresh := people.New(people.Config{Roster: roster, Store: store, Secret: "key", Log: log})
	_, err = fresh.Verify(token)
	require.ErrorIs(t, err, state.ErrUnavailable)
}

func TestHashPasswordIsPHC(t *testing.T) {
	fields := strings.Split(people.HashPassword("x"), "$")
	require.Equal(t, []string{"", "argon2id", "v=19", "m=19456,t=2,p=1"}, fields[:4])
	salt, err := base64.RawStdEncoding.DecodeString(fields[4])
	require.NoError(t, err)
	require.Len(t, salt, 16)
	other := people.HashPassword("x")
	require.NotEqual(t, strings.Join(fields, "$"), other, "a salt of its own")
}

func TestARefusalForTooManyTriesIsNotTooShort(t *testing.T) {
	for after, want := range map[time.Duration]int{9300 * time.Millisecond: 10, 10 * time.Second: 10, time.Millisecond: 1, 0: 1} {
		e := &people.TooManyError{After: after}
		require.Equal(t, want, e.Seconds(), after)
		require.Contains(t, e.Error(), fmt.Sprintf("in %d s", want))
	}
}
