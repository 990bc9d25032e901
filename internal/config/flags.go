package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/spf13/pflag"
)

// flagSet has a flag for each setting that wants one. A flag that is given writes into set, over what stood there.
func flagSet(program string, settings []setting, set map[string]string, out io.Writer) *pflag.FlagSet {
	flags := pflag.NewFlagSet(program, pflag.ContinueOnError)
	flags.SortFlags = false
	flags.SetOutput(out)
	for _, s := range settings {
		if s.flag == "" {
			continue
		}
		f := flags.VarPF(&flagValue{setting: s, set: set}, s.flag, "", s.help())
		if s.kind.Kind() == reflect.Bool {
			f.NoOptDefVal = "true"
		}
	}
	flags.Usage = func() {
		fmt.Fprintf(out, "Usage: %s [flags]\n\n%s\nA flag wins over its variable, a variable over a .waygate file (KEY=value lines) found upwards.\n",
			program, flags.FlagUsages())
		if only := variablesOnly(settings); only != "" {
			fmt.Fprintf(out, "\nOnly as variables:\n%s", only)
		}
	}
	return flags
}

// help is the line of a flag in --help.
func (s setting) help() string {
	var more []string
	if len(s.choices) > 0 {
		more = append(more, strings.Join(s.choices, "|"))
	}
	if s.preset != "" {
		more = append(more, "default "+s.preset)
	}
	if s.several() {
		more = append(more, "repeatable")
	}
	return fmt.Sprintf("%s (%s)", s.usage, strings.Join(append(more, s.variable), "; "))
}

// variablesOnly lists the settings that have no flag.
func variablesOnly(settings []setting) string {
	var b strings.Builder
	for _, s := range settings {
		if s.flag == "" {
			fmt.Fprintf(&b, "  %-26s %s\n", s.variable, s.usage)
		}
	}
	return b.String()
}

// flagValue is a flag that stands for its variable.
type flagValue struct {
	setting setting
	set     map[string]string
	given   bool
}

// String is empty: the help line tells the default.
func (v *flagValue) String() string { return "" }

// Type is what --help calls the value.
func (v *flagValue) Type() string {
	switch {
	case v.setting.value != "":
		return v.setting.value
	case v.setting.choices != nil:
		return "word"
	case v.setting.kind.Kind() == reflect.Bool:
		return "bool"
	case v.setting.kind.Kind() == reflect.Int64:
		return "duration"
	default:
		return "string"
	}
}

// Set takes one value; a flag that takes several can be given again.
func (v *flagValue) Set(value string) error {
	name := v.setting.variable
	if v.setting.several() && v.given {
		value = v.set[name] + separator + value
	}
	v.set[name], v.given = value, true
	return nil
}
