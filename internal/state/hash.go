package state

import "math/bits"

// hashSegment is the hash of what comes after a step of hash at: the segment of path that begins at start. It finds the
// end of the segment too: the next slash or the end of path. It takes eight bytes at a time; the segment has the same
// hash wherever it stands.
func hashSegment(at uint64, path string, start int) (hash uint64, end int) {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	for from := start; ; from += 8 {
		word := eightBytes(path, from)
		// The lowest set bit of slash marks the first byte of word that is a slash.
		differ := word ^ '/'*ones
		slash := (differ - ones) &^ differ & highs
		length := min(bits.TrailingZeros64(slash)/8, len(path)-from)
		if length == 8 {
			at = fold(at^word, 0xd6e8feb86659fd93)
			continue
		}
		word &= 1<<(8*uint(length)) - 1
		end = from + length
		return fold(at^word, 0xa0761d6478bd642f^uint64(end-start)), end
	}
}

// hashAny is the hash of a {} after a step of hash at.
func hashAny(at uint64) uint64 { return fold(at^0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3) }

// hashRest is the hash of a ** after a step of hash at.
func hashRest(at uint64) uint64 { return fold(at^0x589965cc75374cc3, 0x1d8e4e27c47d124f) }

// hashAround is the hash of a parameter with text around it after a step of hash at.
func hashAround(at uint64, prefix, suffix string) uint64 {
	hash, _ := hashSegment(fold(at^0x9e6c63d0876a3f6b, 0xeb44accab455d165), prefix, 0)
	hash, _ = hashSegment(hash, suffix, 0)
	return hash
}

// eightBytes are the bytes of s from at on, the first one lowest, with zeros after the end.
func eightBytes(s string, at int) uint64 {
	if at+8 <= len(s) {
		b := s[at : at+8]
		return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
	}
	if at >= len(s) {
		return 0
	}
	if len(s) >= 8 {
		return eightBytes(s, len(s)-8) >> (8 * uint(at+8-len(s)))
	}
	var word uint64
	for i := len(s) - 1; i >= at; i-- {
		word = word<<8 | uint64(s[i])
	}
	return word
}

// fold multiplies and folds the product.
func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
