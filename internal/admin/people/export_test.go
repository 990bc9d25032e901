package people

// Flood takes every turn to check a password that anybody may have.
func (p *People) Flood() {
	for range cap(p.gate) {
		p.gate <- struct{}{}
	}
}
