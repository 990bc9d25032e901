package state

// What the tests of this package look at from outside: how a request is read.
var (
	PlainPath      = plainPath
	PathReadings   = pathReadings
	MethodReadings = methodReadings
	QueryOf        = queryOf
	IsConnectGet   = isConnectGet
	FoldPath       = foldPath
)

// MethodSet is a set of methods.
type MethodSet = methodSet
