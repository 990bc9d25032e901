package redisstore

// LoadInPortions makes every document a large one, read a few fields at a time.
func (r *Reader) LoadInPortions(fields int64) { r.whole, r.portion = -1, fields }
