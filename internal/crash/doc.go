// Package crash kills the released program at every system call that changes
// something, or makes that call fail, and looks at what is left.
//
// It is test code and is imported by nothing. The program is built as for a
// release and knows nothing of it: a tracer of a few hundred lines (ptrace)
// counts the calls of all its threads, and of the programs that it runs, in
// one sequence. strace counts them by thread, so that with Go, whose
// goroutines wander from thread to thread, "the n-th call" is not the same
// call twice, and what strace injects is a sample.
//
// It must never touch the machine: every run gets a throw-away tree (--root)
// on a tmpfs of a mount namespace of its own, a network namespace with nothing
// but loopback, and an empty environment.
package crash
