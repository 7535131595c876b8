package crash

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// result is a row of the table in docs/reliability.md.
type result struct {
	job, fault   string
	points, left int
	standing     map[standing]int
}

const rowFormat = "| %s | %s | %d | %d | %d | %d | %d | %d |"

func (r result) String() string {
	return fmt.Sprintf(rowFormat, r.job, r.fault, r.points, r.standing[asBefore], r.standing[asAfter], r.standing[someSteps], r.standing[torn], r.left)
}

// readRow is the row that a line of the table shows.
func readRow(line string) (r result, ok bool) {
	cells := strings.Split(strings.TrimSuffix(line, " |\n"), " | ")
	if len(cells) != 8 {
		return r, false
	}
	n := make([]int, 6)
	for i := range n {
		if _, err := fmt.Sscan(cells[2+i], &n[i]); err != nil {
			return r, false
		}
	}
	return result{
		job: strings.TrimPrefix(cells[0], "| "), fault: cells[1], points: n[0], left: n[5],
		standing: map[standing]int{asBefore: n[1], asAfter: n[2], someSteps: n[3], torn: n[4]},
	}, true
}

type table struct {
	mu   sync.Mutex
	rows []result
}

var results table

func (t *table) add(r result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = append(t.rows, r)
}

const (
	page       = "../../docs/reliability.md"
	tableBegin = "<!-- written by: go test ./internal/crash -update -->\n"
	tableEnd   = "<!-- end -->\n"
	everything = "**all**"
)

// writeTable puts the rows of an exhaustive run into the page; of jobs that it
// did not make the rows stay.
func writeTable() error {
	if tried != "all" {
		return errors.New("-update needs CRASH_POINTS=all: the table is of all points")
	}
	data, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(data), tableBegin)
	old, tail, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		return errors.New(page + " has no place for the table")
	}
	rows := slices.Clone(results.rows)
	for line := range strings.Lines(old) {
		r, ok := readRow(line)
		if ok && r.job != everything && !slices.ContainsFunc(results.rows, func(n result) bool { return n.job == r.job }) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b result) int {
		if a.job != b.job {
			return strings.Compare(a.job, b.job)
		}
		return rank(a.fault) - rank(b.fault)
	})
	total := result{job: everything, standing: map[standing]int{}}
	for _, r := range rows {
		total.points, total.left = total.points+r.points, total.left+r.left
		for s, n := range r.standing {
			total.standing[s] += n
		}
	}
	var out bytes.Buffer
	fmt.Fprint(&out, head, tableBegin, "| run | fault | points | old | new | some steps | torn | left over |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range append(rows, total) {
		fmt.Fprintln(&out, r)
	}
	fmt.Fprint(&out, tableEnd, tail)
	return os.WriteFile(page, out.Bytes(), 0o644)
}

// rank is the order of faults.
func rank(fault string) int {
	name, _, lasting := strings.Cut(fault, " ")
	i := 2 * slices.IndexFunc(failures, func(f failure) bool { return f.name == name })
	if lasting {
		i++
	}
	return i
}
