package main

import (
	"os"
	"syscall"
	"time"
)

// endWithParent ends this program, and what it started, within about a second
// after its engine has gone, also when the engine was killed. A parent-death
// signal would not do: it fires when the engine's thread ends.
func endWithParent() {
	parent := os.Getppid()
	for range time.Tick(time.Second) {
		if os.Getppid() == parent {
			continue
		}
		if syscall.Getpgrp() == os.Getpid() {
			_ = syscall.Kill(0, syscall.SIGKILL)
		}
		os.Exit(1)
	}
}
