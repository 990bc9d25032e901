// Package serve is what both servers need to be reachable: where they listen, with which certificate, how scripts
// learn that they are ready, and in which order they stop.
//
// An [Address] is HOST:PORT or unix:///path. [Listen] binds it and [Listener.Publish] lets clients find it, which for
// a Unix socket is one rename: a second process takes over from a first without a moment at which nobody listens.
// [TLS] names certificate files and makes a configuration that follows them when they change. [Ready] is the one line
// of JSON that tells scripts which ports were bound. [Teardown] undoes what a start did, last thing first.
package serve
