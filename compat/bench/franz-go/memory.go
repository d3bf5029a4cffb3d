package main

import (
	"bufio"
	"fmt"
	"os"
	"syscall"
	"time"
)

const (
	piece         = 64 << 20
	madvHugepage  = 14
	pageBytes     = 4096
	megabyteBytes = 1 << 20
)

// memory takes `size` megabytes that the machine has behind them, says `ready`, and from the next line it reads on gives them back evenly over `seconds`.
// A virtual machine may give what is free back to its host within seconds: then a file's pages cost the writer a fault of the host each, as much as all
// else that a broker does for them, and which broker pays is chance.
func memory(o options) figures {
	var pieces [][]byte
	for held := 0; held < o.size*megabyteBytes; held += piece {
		bytes, err := syscall.Mmap(-1, 0, piece, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		must(err)
		_ = syscall.Madvise(bytes, madvHugepage) // smaller pages do as well
		for at := 0; at < piece; at += pageBytes {
			bytes[at] = 1
		}
		pieces = append(pieces, bytes)
	}
	fmt.Println("ready")
	if !bufio.NewScanner(os.Stdin).Scan() {
		return figures{}
	}
	pause := o.seconds / time.Duration(len(pieces)+1)
	for _, bytes := range pieces {
		must(syscall.Munmap(bytes))
		time.Sleep(pause)
	}
	return figures{}
}
