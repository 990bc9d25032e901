package state

import (
	"bytes"
	"strings"
)

// param is a set of query parameters that say how a request is read.
type param uint8

const (
	methodParam   param = 1 << iota // _method
	connectParam                    // connect=v1
	messageParam                    // message
	encodingParam                   // encoding
)

// connectGet are the parameters that a Connect server needs to take a GET for a
// call: unless told otherwise it does not insist on connect=v1.
const connectGet = messageParam | encodingParam

// isConnectGet reports whether a GET with this query may be a call of a Connect
// procedure, so that a POST key of the procedure governs it: connect=v1 is there,
// or both message and encoding (servers accept such a call without connect=v1).
func isConnectGet(query string) bool {
	found := scanQuery(query)
	return found&connectParam != 0 || found&connectGet == connectGet
}

// scanQuery returns the parameters that are in query, as sent or after one or two
// rounds of decoding it.
func scanQuery(query string) param {
	if query == "" {
		return 0
	}
	found := scanParams(query)
	if strings.IndexByte(query, '%') < 0 {
		return found
	}
	var scratch [512]byte
	decoded := append(scratch[:0], query...)
	for range rounds {
		length := unescapeQuery(decoded)
		if length == len(decoded) {
			break
		}
		decoded = decoded[:length]
		found |= scanParams(decoded)
	}
	return found
}

// scanParams returns the parameters that are in query, read without decoding.
func scanParams[T string | []byte](query T) (found param) {
	start := 0
	for i := 0; i <= len(query); i++ {
		if i < len(query) && query[i] != '&' && query[i] != ';' {
			continue
		}
		found |= paramAt(query[start:i])
		start = i + 1
	}
	return found
}

// paramAt returns which parameter the pair name=value is.
func paramAt[T string | []byte](pair T) param {
	for len(pair) > 0 && isFiller(pair[0]) {
		pair = pair[1:]
	}
	if len(pair) == 0 {
		return 0
	}
	// PHP turns '.', ' ' and an unclosed '[' in a name into '_'.
	switch pair[0] {
	case '_', '.', '[':
		if isNamed(pair[1:], "method") {
			return methodParam
		}
	case 'c', 'C':
		if value, ok := valueOf(pair, "connect"); ok && hasPrefixFold(value, "v1") {
			return connectParam
		}
	case 'm', 'M':
		if isNamed(pair, "message") {
			return messageParam
		}
	case 'e', 'E':
		if isNamed(pair, "encoding") {
			return encodingParam
		}
	}
	return 0
}

// isNamed reports whether the name of pair is name, or name with an index
// (_method[]), which some parsers drop.
func isNamed[T string | []byte](pair T, name string) bool {
	if !hasPrefixFold(pair, name) {
		return false
	}
	if len(pair) == len(name) {
		return true
	}
	c := pair[len(name)]
	return c == '=' || c == '[' || c == 0 || isFiller(c)
}

// valueOf returns what follows the first '=' of a pair of this name.
func valueOf[T string | []byte](pair T, name string) (value T, ok bool) {
	if !isNamed(pair, name) {
		return value, false
	}
	for i := len(name); i < len(pair); i++ {
		if pair[i] == '=' {
			value = pair[i+1:]
			for len(value) > 0 && isFiller(value[0]) {
				value = value[1:]
			}
			return value, true
		}
	}
	return value, true
}

// hasPrefixFold reports whether s begins with the lower-case ASCII prefix.
func hasPrefixFold[T string | []byte](s T, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}

// isFiller reports what parsers trim around a name or a value: blanks, also as '+',
// and a '?' too many.
func isFiller(c byte) bool { return c <= ' ' && c != 0 || c == '+' || c == '?' }

// unescapeQuery decodes query once in place and returns its new length.
func unescapeQuery(query []byte) int {
	first := bytes.IndexByte(query, '%')
	if first < 0 {
		return len(query)
	}
	length := first
	for i := first; i < len(query); i++ {
		c, ok := escapeAt(query, i)
		if ok {
			i += 2
		} else {
			c = query[i]
		}
		query[length] = c
		length++
	}
	return length
}

// paramValues returns the values of each occurrence of a parameter, as sent and
// after each round of decoding.
func paramValues(query string, which param) []string {
	var values []string
	decoded := []byte(query)
	for round := 0; ; round++ {
		for pair := range bytes.FieldsFuncSeq(decoded, func(c rune) bool { return c == '&' || c == ';' }) {
			if paramAt(pair) != which {
				continue
			}
			_, value, _ := bytes.Cut(pair, []byte("="))
			values = append(values, strings.ReplaceAll(string(value), "+", " "))
		}
		length := unescapeQuery(decoded)
		if round == rounds || length == len(decoded) {
			return values
		}
		decoded = decoded[:length]
	}
}
