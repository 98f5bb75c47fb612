// Two listeners on one port, as the runtime of Go makes them: epoll knows each, and MPTCP may be asked for.
package main

import (
	"net"
	"os"
)

func serve(address string, done chan error) {
	listener, err := net.Listen("tcp", address+":"+os.Getenv("PORT"))
	if err != nil {
		done <- err
		return
	}
	for {
		if client, err := listener.Accept(); err == nil {
			client.Write([]byte("go"))
			client.Close()
		}
	}
}

func main() {
	done := make(chan error)
	go serve("127.0.0.1", done)
	go serve("[::1]", done)
	panic(<-done)
}
