//go:build race

package reading_test

const underRace = true
