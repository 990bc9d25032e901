//go:build !linux

package state

import "errors"

func collapse(_, _ uintptr) error { return errors.ErrUnsupported }

func hugePagesWanted() bool { return false }
