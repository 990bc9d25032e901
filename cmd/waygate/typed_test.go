package main

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhoIsAskedMayLeave(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	text, err := io.ReadAll(typed{ctx: ctx, from: strings.NewReader(strings.Repeat("yes\n", 5000))})
	require.NoError(t, err)
	require.Len(t, text, 20000)

	silent, end := io.Pipe()
	defer func() { _ = end.Close() }()
	cancel()
	_, err = typed{ctx: ctx, from: silent}.Read(make([]byte, 1))
	require.ErrorIs(t, err, errLeft)
	require.NotErrorIs(t, err, context.Canceled, "which would say that the outcome of a call is not known")
}
