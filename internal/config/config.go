// Package config reads what a program is started with: flags, environment, and a .waygate file.
//
// A program describes its settings as a struct. A field has the variable it comes from (env), its default
// (envDefault), the flag that sets it too (flag; without one it can only come from a variable, as a secret should),
// one line for --help (usage), what the value is called there (value), and the words it may hold (choices):
//
//	Listen  []string `env:"WAYGATE_AUTHZ_LISTEN" envDefault:":9001" flag:"listen" value:"HOST:PORT" usage:"…"`
//	OnStale string   `env:"WAYGATE_ON_STALE" envDefault:"keep" flag:"on-stale" choices:"keep,open,closed" usage:"…"`
//
// Load fills such a struct: a flag wins over the environment, the environment over the file, and the file over the
// default. A variable that is set to nothing counts as not set. What cannot be read is refused with the names of the
// flag and the variable and with what they may hold.
package config

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/spf13/pflag"
)

// ErrHelp is what [Load] returns after it printed the help that was asked for.
var ErrHelp = pflag.ErrHelp

// ErrVersion is what [Load] returns after it printed the version that was asked for.
var ErrVersion = errors.New("the version was asked for")

// Load fills into, a pointer to a struct as the package comment describes it, from the arguments of the program
// (without its name) and from vars (see [Environment]). Help goes to out when --help is among the arguments; the
// error is then [ErrHelp], or for --version [ErrVersion]. Positional arguments are refused.
func Load(into any, program string, args []string, vars map[string]string, out io.Writer) error {
	settings := settingsOf(reflect.TypeOf(into).Elem())
	set := make(map[string]string, len(vars))
	for name, value := range vars {
		if value != "" {
			set[name] = value
		}
	}
	flags := flagSet(program, settings, set, out)
	version := flags.Bool("version", false, "print the version")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return ErrHelp
		}
		return fmt.Errorf("%w; %s --help lists the flags", err, program)
	}
	if *version {
		fmt.Fprintf(out, "%s version %s\n", program, Version())
		return ErrVersion
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not expected; %s --help lists the flags", flags.Arg(0), program)
	}
	if err := env.ParseWithOptions(into, env.Options{Environment: set}); err != nil {
		return explain(err, settings, set)
	}
	for _, s := range settings {
		if err := s.check(set); err != nil {
			return err
		}
	}
	return nil
}

// setting is one field of the struct.
type setting struct {
	field    string // its Go name
	variable string
	flag     string
	usage    string
	value    string // what --help calls the value
	preset   string
	choices  []string
	kind     reflect.Type
}

// separator stands between the values of a variable that holds several.
const separator = ","

// settingsOf lists the fields of t that come from a variable, those of embedded structs included.
func settingsOf(t reflect.Type) []setting {
	var all []setting
	for f := range t.Fields() {
		if f.Type.Kind() == reflect.Struct && f.Tag.Get("env") == "" && f.IsExported() {
			all = append(all, settingsOf(f.Type)...)
			continue
		}
		s := setting{
			field: f.Name, variable: f.Tag.Get("env"), flag: f.Tag.Get("flag"), usage: f.Tag.Get("usage"),
			value: f.Tag.Get("value"), preset: f.Tag.Get("envDefault"), kind: f.Type,
		}
		if choices := f.Tag.Get("choices"); choices != "" {
			s.choices = strings.Split(choices, ",")
		}
		if s.variable != "" {
			all = append(all, s)
		}
	}
	return all
}

// names are the flag and the variable, as an error names them.
func (s setting) names() string {
	if s.flag == "" {
		return s.variable
	}
	return fmt.Sprintf("--%s (%s)", s.flag, s.variable)
}

// check refuses a value that is not among the choices.
func (s setting) check(set map[string]string) error {
	value, ok := set[s.variable]
	if !ok || s.choices == nil {
		return nil
	}
	values := []string{value}
	if s.several() {
		values = strings.Split(value, separator)
	}
	for _, v := range values {
		if !slices.Contains(s.choices, v) {
			return fmt.Errorf("%s: %q is not one of %s", s.names(), v, strings.Join(s.choices, ", "))
		}
	}
	return nil
}

func (s setting) several() bool { return s.kind.Kind() == reflect.Slice }

// wants says what a value of the setting looks like.
func (s setting) wants() string {
	switch {
	case s.kind == reflect.TypeFor[time.Duration]():
		return "a duration such as 500ms, 90s, 5m or 2h"
	case s.kind.Kind() == reflect.Bool:
		return "true or false"
	case s.kind.Kind() >= reflect.Int && s.kind.Kind() <= reflect.Uint64:
		return "a number"
	default:
		return "a value of the right form"
	}
}

// explain turns what the parser says about Go fields into what the operator typed.
func explain(err error, settings []setting, set map[string]string) error {
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return err
	}
	var said []error
	for _, one := range all.Errors {
		parse, ok := errors.AsType[env.ParseError](one)
		i := slices.IndexFunc(settings, func(s setting) bool { return s.field == parse.Name })
		if !ok || i < 0 {
			said = append(said, one)
			continue
		}
		s := settings[i]
		said = append(said, fmt.Errorf("%s: %q is not %s", s.names(), set[s.variable], s.wants()))
	}
	return errors.Join(said...)
}
