package main

import (
	"os"
	"syscall"
	"time"
)

// Asked as early as a program can: from then on, another parent means that the
// engine is gone.
var engine = os.Getppid()

// endWithParent ends this program, and what it started, within about a second
// after its engine has gone, also when the engine was killed. A parent-death
// signal would not do: it fires when the engine's thread ends.
func endWithParent() {
	for range time.Tick(time.Second) {
		if os.Getppid() == engine {
			continue
		}
		if syscall.Getpgrp() == os.Getpid() {
			_ = syscall.Kill(0, syscall.SIGKILL)
		}
		os.Exit(1)
	}
}
