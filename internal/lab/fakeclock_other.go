//go:build linux && !amd64

package lab

const clockEnv, traceEnv = "TRUSTFIX_LAB_CLOCK", "TRUSTFIX_LAB_TRACE"

func runClock(string) int { panic("lab: the traced clock knows amd64 only") }

func runTraced() int { return runClock("") }
