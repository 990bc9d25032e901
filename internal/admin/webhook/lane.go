package webhook

import (
	"container/heap"
	"time"
)

// pending is an event that is not delivered yet, as it is kept.
type pending struct {
	Event Event `json:"event"`
	// Order is the order in which events were admitted: they leave their lane in it.
	Order uint64 `json:"order"`
	// Tries is how many attempts failed, Next when the next one is due, and Why how the last one ended.
	Tries int       `json:"tries,omitempty"`
	Next  time.Time `json:"next,omitzero"`
	Why   string    `json:"why,omitempty"`
}

// field is the name under which the event is kept.
func (p *pending) field() string { return fieldEvent + p.Event.ID }

// lane is the queue of one route key. It is in exactly one place: ready, waiting, or sending.
type lane struct {
	key   string
	queue []*pending
}

func (l *lane) head() *pending { return l.queue[0] }

// lanes are all queues that are not empty.
type lanes struct {
	byKey   map[string]*lane
	ready   []*lane
	waiting waiting
	sending int
	total   int
}

func newLanes() *lanes { return &lanes{byKey: map[string]*lane{}} }

// add puts an event at the end of its lane.
func (s *lanes) add(p *pending) {
	key := p.Event.lane()
	l := s.byKey[key]
	s.total++
	if l != nil {
		l.queue = append(l.queue, p)
		return
	}
	l = &lane{key: key, queue: []*pending{p}}
	s.byKey[key] = l
	s.place(l)
}

// place puts a lane that is not sending where its head belongs.
func (s *lanes) place(l *lane) {
	if l.head().Next.IsZero() {
		s.ready = append(s.ready, l)
		return
	}
	heap.Push(&s.waiting, l)
}

// due moves the lanes whose next attempt is due to those that are ready.
func (s *lanes) due(now time.Time) {
	for len(s.waiting) > 0 && !s.waiting[0].head().Next.After(now) {
		l, _ := heap.Pop(&s.waiting).(*lane)
		s.ready = append(s.ready, l)
	}
}

// next takes the lane that is ready for longest; nil when none is.
func (s *lanes) next() *lane {
	if len(s.ready) == 0 {
		return nil
	}
	l := s.ready[0]
	s.ready = s.ready[1:]
	s.sending++
	return l
}

// again puts a lane back after an attempt whose event stays.
func (s *lanes) again(l *lane) {
	s.sending--
	s.place(l)
}

// done puts a lane back without its head, which is over.
func (s *lanes) done(l *lane) {
	s.sending--
	s.total--
	l.queue[0] = nil
	l.queue = l.queue[1:]
	if len(l.queue) == 0 {
		delete(s.byKey, l.key)
		return
	}
	s.place(l)
}

// each yields all events.
func (s *lanes) each(see func(*pending)) {
	for _, l := range s.byKey {
		for _, p := range l.queue {
			see(p)
		}
	}
}

// wake is when the next attempt is due; zero when none waits.
func (s *lanes) wake() time.Time {
	if len(s.waiting) == 0 {
		return time.Time{}
	}
	return s.waiting[0].head().Next
}

// waiting is a heap of lanes by when their next attempt is due.
type waiting []*lane

// Len implements heap.Interface, as the others do.
func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].head().Next.Before(w[j].head().Next) }
func (w waiting) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }

// Push adds a lane.
func (w *waiting) Push(x any) {
	if l, ok := x.(*lane); ok {
		*w = append(*w, l)
	}
}

// Pop takes the last one.
func (w *waiting) Pop() any {
	old := *w
	l := old[len(old)-1]
	*w = old[:len(old)-1]
	return l
}
