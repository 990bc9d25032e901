package state

// What the tests of this package look at from outside: how a request is read.
var (
	PlainPath    = plainPath
	PathReadings = pathReadings
	QueryOf      = queryOf
	IsConnectGet = isConnectGet
	FoldPath     = foldPath
)

// MethodReadings is methodReadings with the methods by their names.
func MethodReadings(method string, overrides []string, query string) (names []string, overridden bool, err error) {
	set, overridden, err := methodReadings(method, overrides, query)
	for i, name := range append(methodNames[:], "OTHER") {
		if set&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names, overridden, err
}
