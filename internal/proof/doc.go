// Package proof keeps and checks evidence of what a log held, outside of the store that holds it.
//
// Three things are evidence. The chain: each frame's head is a hash over the head before and its own bytes, so nothing
// in the middle can change unnoticed. The archive: a directory with the frames themselves, in segments of lines, and a
// manifest. Checkpoints: heads that an admin signed and put where the store cannot reach, so that even a history that
// was hashed anew from some entry on, or cut off at its end, is found out.
//
// A [Chain] takes frames in, oldest first, and says at which revision something is wrong first. It does not decode
// entries: what is hashed are their bytes.
package proof
