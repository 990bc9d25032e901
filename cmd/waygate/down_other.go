//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// Ctrl-C reaches every process of a console by itself; there is nothing else to pass on.

func passedOn() []os.Signal { return []os.Signal{os.Interrupt} }

func survived() []os.Signal { return passedOn() }

func apart(*exec.Cmd) (shared bool) { return true }

func passOn(*os.Process, os.Signal, bool) {}
