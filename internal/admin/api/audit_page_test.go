package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
)

// Lines of one commit are told on several pages where they do not fit into one.
func TestACommitIsLongerThanAPage(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/before", "disable", "")
	const n = 300
	changes := make([]string, n)
	for i := range changes {
		changes[i] = fmt.Sprintf(`{"action":"disable","path":"GET:/%03d"}`, i)
	}
	a.post("/api/changes", `{"changes":[`+strings.Join(changes, ",")+`]}`).is(200)
	a.do("GET:/after", "disable", "")
	var all []string
	for cursor := ""; ; {
		r := a.get("/api/audit?changes=1&limit=50&cursor=" + cursor)
		var list []wire.AuditEntry
		r.into(&list)
		for _, e := range list {
			require.Len(t, e.Changes, 1)
			require.Equal(t, "r:"+e.Path, e.Changes[0].Field)
			all = append(all, e.Path)
		}
		if cursor = r.header.Get(wire.NextHeader); cursor == "" {
			break
		}
	}
	want := []string{"GET:/after"}
	for i := range n {
		want = append(want, fmt.Sprintf("GET:/%03d", n-1-i))
	}
	require.Equal(t, append(want, "GET:/before"), all)
}
