package state

// How a request as Envoy shows it is turned into every way a backend could read it; the files reading_*.go.
//
// A backend may decode twice, strip ;parameters, fold case, split before it decodes, or take the method from a header.
// Nobody in front of it can know which. So a gate denies if any reading is blocked, and exempts only if every reading is
// exempt. Three questions are answered: is the target so plain that it has one reading (plainPath), which readings of
// the path are there (pathReadings), and under which methods may the request run (methodReadings). Readings are compared
// folded (foldPath) to block and as they are to exempt. What cannot be read with confidence is errUnreadable, never a guess.
//
// Left out, since they make another route of a plain path and no reading of a path is behind them: suffixes a framework
// strips (/pay.json for /pay), front scripts (/index.php/pay), "+" as a blank, and Unicode normalisation beyond the
// full-width forms (a decomposed é). A key for the other spelling shuts those.

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// dataSlash stands in a reading for a slash that a reader keeps as data inside a
// segment: a router that splits before it decodes holds a%2Fb as one segment. It
// is a control byte, which no readable target contains, so it is never ambiguous.
const dataSlash = '\x1f'

// errUnreadable says that a request cannot be read with confidence. It is always
// wrapped with the reason. Callers refuse such a request (400) while anything in
// its scope is governed, and pass and count it while nothing is.
var errUnreadable = errors.New("the request cannot be read")

// unreadable wraps errUnreadable with its reason.
func unreadable(reason string) error {
	return fmt.Errorf("%w: %s", errUnreadable, reason)
}

// maxForms caps the intermediate forms and maxWork the bytes of text that are
// looked at for one target; above either the target is errUnreadable. Ordinary
// targets need fewer than 30 forms and a few kilobytes; only a target that mixes
// many tricks comes near. The two together bound the time for any input.
const (
	maxForms = 512
	maxWork  = 1 << 20
	formWork = 32 // what a form costs beyond its bytes.
)

// rounds is how often a path is decoded; what still holds an escape then is
// unreadable.
const rounds = 2

// pathReadings returns every reading of the path of target (the raw request target, as
// sent, with or without a query). A reading begins with '/', has no empty segment
// and no trailing slash ("/" itself apart), and holds no control byte except
// dataSlash. Its case is as sent; a dot segment may stand in it, because routers
// that do not resolve them take ".." for the value of a {name}. The first reading
// is the one of a reader who decodes nothing.
//
// The readings are those of any chain of the steps a reader may take (strip
// parameters, cut at a decoded # or question mark, take a backslash or a look-alike for a
// slash, merge slashes, resolve dot segments, cut trailing dots and blanks), in
// any order, before, between and after at most two rounds of decoding.
//
// The error is errUnreadable, wrapped with the reason, for: a target that is
// neither a path nor an absolute URL, a raw '#', a control byte or invalid UTF-8
// in the raw or a decoded form, a bad escape in the raw path, a valid escape left
// after two rounds, and more forms than the cap.
func pathReadings(target string) ([]string, error) {
	path, err := rawPath(target)
	if err != nil {
		return nil, err
	}
	var r reader
	r.add(path)
	for round := 0; ; round++ {
		if err := r.grow(); err != nil {
			return nil, err
		}
		r.emit()
		if r.spent() {
			return nil, unreadable("it has too many readings")
		}
		if round == rounds {
			return r.readings.list, nil
		}
		if err := r.decode(round + 1); err != nil {
			return nil, err
		}
		if r.from == len(r.forms.list) {
			return r.readings.list, nil
		}
	}
}

// reader collects the forms of one target, round by round, and their readings.
type reader struct {
	forms    featureSet
	from     int // forms.list[from:] are those of the current round.
	readings featureSet
	work     int
}

// spent reports whether a cap is reached.
func (r *reader) spent() bool {
	return r.work > maxWork || len(r.forms.list) > maxForms
}

// add keeps form if it is new. Work is charged in either case: looking a form up
// costs as much as making it.
func (r *reader) add(form string) {
	r.work += len(form) + formWork
	r.forms.add(form)
}

// grow closes the forms of the current round under every step.
func (r *reader) grow() error {
	for i := r.from; i < len(r.forms.list); i++ {
		if err := r.step(r.forms.list[i]); err != nil {
			return err
		}
		if r.spent() {
			return unreadable("it has too many readings")
		}
	}
	return nil
}

// emit adds the readings of the forms of the current round.
func (r *reader) emit() {
	for _, form := range r.forms.list[r.from:] {
		r.read(form)
		if hasSlashEscape(form) {
			r.read(slashEscapesAsData(form))
		}
	}
}

func (r *reader) read(form string) {
	r.work += len(form) + formWork
	r.readings.add(withoutEmpty(form))
}

// decode makes the forms of the next round, in three ways: everything, everything
// but %2F and %5C (routers that split first keep those as data), and everything
// but %2F (some of them take a decoded backslash for a slash).
func (r *reader) decode(round int) error {
	end := len(r.forms.list)
	for _, form := range r.forms.list[r.from:end] {
		if strings.IndexByte(form, '%') < 0 {
			continue
		}
		all, err := decodeOnce(form, "")
		if err != nil {
			return err
		}
		if round == rounds && hasEscape(all) {
			return unreadable("an escape is left after two rounds of decoding")
		}
		r.add(all)
		if !hasSlashEscape(form) {
			continue
		}
		for _, keep := range []string{`/\`, `/`} {
			kept, err := decodeOnce(form, keep)
			if err != nil {
				return err
			}
			r.add(kept)
		}
	}
	r.from = end
	return nil
}

// featureSet is a set of strings that keeps their order.
type featureSet struct {
	list  []string
	index map[string]struct{} // nil while the list is short.
}

// add adds s if it is new.
func (s *featureSet) add(text string) {
	const short = 12
	if s.index == nil {
		if slices.Contains(s.list, text) {
			return
		}
		s.list = append(s.list, text)
		if len(s.list) > short {
			s.index = make(map[string]struct{}, 4*short)
			for _, have := range s.list {
				s.index[have] = struct{}{}
			}
		}
		return
	}
	if _, have := s.index[text]; !have {
		s.index[text] = struct{}{}
		s.list = append(s.list, text)
	}
}
