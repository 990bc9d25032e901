package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// asBrowser is a request with the headers of a browser.
const asBrowser = "GET /orders/42?b=2&a=1 HTTP/1.1\r\nHost: shop.test\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.9\r\n" +
	"Accept-Encoding: gzip, deflate, br\r\nReferer: https://shop.test/a\r\nCookie: session=abcdef0123456789; theme=dark\r\n\r\n"

// serveService answers every request with two bytes, until the listener is closed.
func serveService(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			in := bufio.NewReader(conn)
			for {
				line, err := in.ReadSlice('\n')
				if err != nil {
					return
				}
				if len(line) > 2 {
					continue // the empty line ends a request
				}
				if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nok"); err != nil {
					return
				}
			}
		}()
	}
}

// requests sends requests to an address for a time, over as many connections, and gives how long each waited. A rate of
// 0 keeps every connection busy; otherwise so many are sent in a second, at random instants.
func requests(ctx context.Context, address string, connections int, rate float64, d time.Duration) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	turns := make(chan struct{})
	if rate > 0 {
		go give(ctx, turns, rate)
	} else {
		close(turns)
	}
	var all sync.Mutex
	var waiting []time.Duration
	var failure error
	var workers sync.WaitGroup
	for range connections {
		workers.Go(func() {
			mine, err := worker(ctx, address, turns)
			all.Lock()
			defer all.Unlock()
			waiting, failure = append(waiting, mine...), errors.Join(failure, err)
		})
	}
	workers.Wait()
	return waiting, failure
}

// give hands out turns at random instants until ctx ends.
func give(ctx context.Context, turns chan<- struct{}, rate float64) {
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return
		}
		next = next.Add(time.Duration(rand.ExpFloat64() / rate * float64(time.Second)))
		timer.Reset(time.Until(next))
	}
}

// worker sends one request after the other over one connection.
func worker(ctx context.Context, address string, turns <-chan struct{}) ([]time.Duration, error) {
	conn, err := new(net.Dialer).DialContext(context.WithoutCancel(ctx), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	var waiting []time.Duration
	for {
		select {
		case <-turns:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return waiting, nil
		}
		began := time.Now()
		if _, err := io.WriteString(conn, asBrowser); err != nil {
			return nil, fmt.Errorf("send a request: %w", err)
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return nil, fmt.Errorf("read an answer: %w", err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close() // it was read
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("request through Envoy: %s", resp.Status)
		}
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, time.Since(began))
	}
}
