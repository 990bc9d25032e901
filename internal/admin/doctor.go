package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Level says how bad a finding is.
type Level string

// The levels.
const (
	LevelOK   Level = "ok"
	LevelWarn Level = "warn"
	LevelFail Level = "fail"
)

// Finding is one thing that was looked at.
type Finding struct {
	Level   Level
	Subject string
	// Sentence says what is so; Advice, what to do about it.
	Sentence, Advice string
}

// Checkup is what the admin finds when it looks at itself, its store and the fleet.
type Checkup struct {
	Durability state.Durability
	// Link is that of our own follower.
	Link state.FollowStatus
	// Reachable is whether the store answers; RoundTrip, how fast; Trouble, why it does not.
	Reachable bool
	RoundTrip time.Duration
	Trouble   string
	// Ahead is the store's clock minus ours.
	Ahead time.Duration
	// ClockAlarm says that it is too far off to be followed; else it is empty.
	ClockAlarm string
	Fleet      []state.Report
	// Behind are the ids of the instances, not gone, that do not enforce the current revision.
	Behind   []string
	Findings []Finding
}

// Limits of what is well.
const (
	clockWithin = 2 * time.Second
	storeWithin = 500 * time.Millisecond
)

// Checkup looks at everything. It never fails: what cannot be found out is a finding.
func (s *Service) Checkup(ctx context.Context) Checkup {
	c := Checkup{Durability: s.cfg.Store.Durability(), Link: s.cfg.Follower.Status()}
	if s.cfg.Alarm != nil && c.Link.Alarm == "" {
		c.Link.Alarm = s.cfg.Alarm()
	}
	began := time.Now()
	if _, err := s.pulse(ctx); err != nil {
		c.Trouble = err.Error()
	} else {
		c.Reachable, c.RoundTrip = true, time.Since(began)
	}
	clock := s.clock.Status()
	c.Ahead, c.ClockAlarm = clock.Skew, clock.Alarm
	c.findStore()
	c.findClock()
	c.findHorizon()
	var err error
	if c.Fleet, err = s.Instances(ctx); err != nil {
		// What enforces what is not known now: that none reports would be said without having looked.
		c.find(LevelFail, "fleet", fmt.Sprintf("the fleet cannot be read: %s", err), "see to the store first")
	} else {
		c.findFleet()
	}
	return c
}

func (c *Checkup) find(l Level, subject, sentence, advice string) {
	c.Findings = append(c.Findings, Finding{Level: l, Subject: subject, Sentence: sentence, Advice: advice})
}

func (c *Checkup) findStore() {
	switch {
	case !c.Reachable:
		c.find(LevelFail, "store", "the store does not answer: "+c.Trouble, "nothing can be changed until it does; what is in force stays in force")
	case c.RoundTrip > storeWithin:
		c.find(LevelWarn, "store", fmt.Sprintf("the store took %s to answer", c.RoundTrip.Round(time.Millisecond)), "look at its load and the network")
	default:
		c.find(LevelOK, "store", fmt.Sprintf("the store answers in %s", c.RoundTrip.Round(10*time.Microsecond)), "")
	}
	if c.Link.Alarm != "" {
		c.find(LevelFail, "history", c.Link.Alarm, "waygate-admin init --from-snapshot decides where no admin may")
	}
	switch c.Durability {
	case state.DurableMemory:
		c.find(LevelWarn, "durability", "the store forgets every block when the admin stops", "use WAYGATE_BACKEND=file or redis, or --snapshot-dir")
	case state.DurableNone:
		c.find(LevelWarn, "durability", "Redis keeps no append-only file: a restart of it can lose changes", "set appendonly yes")
	case state.DurableEverySec:
		c.find(LevelOK, "durability", "Redis syncs every second: a crash of its machine can lose the last second", "Redis 7.2 or appendfsync always confirms every change")
	default:
		c.find(LevelOK, "durability", "every acknowledged change is on disk ("+string(c.Durability)+")", "")
	}
}

// correctedAdvice is about a clock that is off and can be corrected.
const correctedAdvice = "it is corrected, up to 5 minutes; have NTP set both clocks"

func (c *Checkup) findClock() {
	switch off := c.Ahead.Abs().Round(time.Millisecond); {
	case c.ClockAlarm != "":
		c.find(LevelFail, "clock", c.ClockAlarm, "")
	case c.Ahead > clockWithin:
		c.find(LevelWarn, "clock", fmt.Sprintf("the store's clock is %s ahead of this machine's", off), correctedAdvice)
	case c.Ahead < -clockWithin:
		c.find(LevelWarn, "clock", fmt.Sprintf("the store's clock is %s behind this machine's", off), correctedAdvice)
	case c.Reachable:
		c.find(LevelOK, "clock", fmt.Sprintf("the store's clock and this machine's differ by %s", off), "")
	}
}

func (c *Checkup) findHorizon() {
	if c.Link.HorizonAlarm != "" {
		c.find(LevelFail, "windows", c.Link.HorizonAlarm, "look at what the admins log: one of them extends them every day")
	}
}

func (c *Checkup) findFleet() {
	live, lost, checks := 0, 0, uint64(0)
	for i := range c.Fleet {
		r := &c.Fleet[i]
		p := r.Presence()
		if p == state.Gone {
			continue
		}
		checks += r.Checks
		if p == state.Live {
			live++
		} else {
			lost++
			c.find(LevelWarn, "fleet", fmt.Sprintf("%s is silent for %s and said no goodbye", r.ID, r.Age.Round(time.Second)), "waygate instances forget "+r.ID)
		}
		if r.Epoch != c.Link.Epoch || r.Rev < c.Link.Rev {
			c.Behind = append(c.Behind, r.ID)
			c.find(LevelWarn, "fleet", fmt.Sprintf("%s does not enforce revision %d yet (it is at %d)", r.ID, c.Link.Rev, r.Rev), "look at its link to the store")
		}
		if r.Alarm != "" {
			c.find(LevelFail, "fleet", r.ID+": "+r.Alarm, "")
		} else if skew := time.Duration(r.SkewMS) * time.Millisecond; skew.Abs() > clockWithin {
			c.find(LevelWarn, "clock", fmt.Sprintf("the store's clock and that of %s differ by %s", r.ID, skew.Abs()), correctedAdvice)
		}
	}
	switch {
	case live == 0 && lost > 0:
		c.find(LevelFail, "fleet", "no waygate-authz reports any more: what the lost ones enforce is not known", "look at their link to the store, and whether they run")
	case live == 0:
		c.find(LevelFail, "fleet", "no waygate-authz reports: nothing is enforced", "start one with the same WAYGATE_REDIS_URL, or WAYGATE_SERVER_URL, and namespace")
	case checks == 0:
		c.find(LevelWarn, "envoy", "no Envoy has asked yet", "point its ext_authz filter at waygate-authz")
	default:
		c.find(LevelOK, "envoy", fmt.Sprintf("%d live, %d checks answered", live, checks), "")
	}
}
