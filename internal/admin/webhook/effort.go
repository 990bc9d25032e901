package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"
)

// Bounds of what a template does: a text/template can count, double and call itself, and nothing stops it from outside.
const (
	maxYield = 64 << 10
	maxSteps = 100_000
)

var (
	errTooLong = errors.New("the template writes more than 64 KiB")
	errTooMuch = errors.New("the template goes round too often")
	errTooWide = errors.New("a width has at most three digits")
)

// compile reads a template for one filling: it fails once it did too much.
func compile(text string) (*template.Template, error) {
	left := maxSteps
	step := func() (string, error) {
		if left--; left < 0 {
			return "", errTooMuch
		}
		return "", nil
	}
	t, err := template.New("template").Option("missingkey=zero").Funcs(template.FuncMap{
		"json": short(asJSON), "upper": short(first(strings.ToUpper)), "lower": short(first(strings.ToLower)), stepName: step,
		"print": short(plain(fmt.Sprint)), "println": short(plain(fmt.Sprintln)), "printf": printf,
		"html": short(plain(template.HTMLEscaper)), "js": short(plain(template.JSEscaper)), "urlquery": short(plain(template.URLQueryEscaper)),
	}).Parse(text)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what was being done
	}
	for _, one := range t.Templates() {
		if one.Tree != nil && one.Root != nil {
			count(one.Root)
		}
	}
	return t, nil
}

// stepName is the function that counts.
const stepName = "waygate_step"

// count has a list counted each time it is gone through, and those of the loops in it.
func count(list *parse.ListNode) {
	within(list)
	call := parse.NewIdentifier(stepName)
	pipe := &parse.PipeNode{NodeType: parse.NodePipe, Cmds: []*parse.CommandNode{{NodeType: parse.NodeCommand, Args: []parse.Node{call}}}}
	list.Nodes = append([]parse.Node{&parse.ActionNode{NodeType: parse.NodeAction, Pipe: pipe}}, list.Nodes...)
}

func within(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.RangeNode:
			count(n.List)
			within(n.ElseList)
		case *parse.IfNode:
			within(n.List)
			within(n.ElseList)
		case *parse.WithNode:
			within(n.List)
			within(n.ElseList)
		}
	}
}

// short is a function for templates that neither takes nor gives more text than a template may write.
func short(f func(args ...any) (string, error)) func(args ...any) (string, error) {
	return func(args ...any) (string, error) {
		taken := 0
		for _, a := range args {
			if text, ok := a.(string); ok {
				taken += len(text)
			}
		}
		if taken > maxYield {
			return "", errTooLong
		}
		out, err := f(args...)
		if len(out) > maxYield {
			return "", errTooLong
		}
		return out, err
	}
}

// plain is a function that cannot fail.
func plain(f func(args ...any) string) func(args ...any) (string, error) {
	return func(args ...any) (string, error) { return f(args...), nil }
}

// first is a function of one text.
func first(f func(string) string) func(args ...any) (string, error) {
	return func(args ...any) (string, error) {
		if len(args) == 1 {
			if text, ok := args[0].(string); ok {
				return f(text), nil
			}
		}
		return "", errors.New("it takes one text")
	}
}

// wide is a verb with a width or precision that makes much of little. Digits and stars in the text around are just that.
var wide = regexp.MustCompile(`%[-+# 0-9.\[\]]*([0-9]{4}|\*)`) //nolint:gochecknoglobals // a constant

func printf(format string, args ...any) (string, error) {
	if wide.MatchString(strings.ReplaceAll(format, "%%", "")) {
		return "", errTooWide
	}
	return short(func(args ...any) (string, error) { return fmt.Sprintf(format, args...), nil })(args...)
}

// asJSON writes a value as JSON.
func asJSON(args ...any) (string, error) {
	if len(args) != 1 {
		return "", errors.New("it takes one value")
	}
	text, err := json.Marshal(args[0])
	return string(text), err //nolint:wrapcheck // the template says where
}

// bounded takes at most what a template may write.
type bounded struct{ bytes.Buffer }

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxYield {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}
