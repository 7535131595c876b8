package fix

import (
	"strings"
	"testing"

	"trustfix/platform"
)

func TestEventsCutShortNeverHappened(t *testing.T) {
	var all []byte
	for _, e := range []event{{Event: "begin"}, {Event: "end", After: map[string]platform.Image{"/a": {Kind: platform.Absent}}}} {
		line, err := encodeEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, line...)
	}
	first := strings.IndexByte(string(all), '\n') + 1
	for n := range len(all) + 1 {
		events, why := decodeEvents(all[:n])
		want := 0
		if n >= first {
			want = 1
		}
		if n == len(all) {
			want = 2
		}
		if why != nil || len(events) != want {
			t.Fatalf("%d bytes: %d events, %v", n, len(events), why)
		}
	}
	all[3] ^= 1
	if _, why := decodeEvents(all); why == nil {
		t.Error("a damaged line was accepted")
	}
}

func FuzzDecode(f *testing.F) {
	good, _ := encode(header{ID: "2026-11-21-9f3c", Steps: []stepHeader{{Fix: "edit"}}})
	for _, seed := range [][]byte{good, good[:20], {}, []byte("trustfix-journal 2 x\n{}"), []byte("trustfix-journal 1 \n")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var h header
		if why := decode(data, &h); why == nil {
			again, err := encode(h)
			var h2 header
			if err != nil || decode(again, &h2) != nil || h2.ID != h.ID {
				t.Errorf("accepted %q, which does not come back", data)
			}
		}
		_ = decode(data, &intent{})
		_ = decode(data, &Run{})
	})
}

func FuzzDecodeEvents(f *testing.F) {
	line, _ := encodeEvent(event{Event: "begin"})
	for _, seed := range [][]byte{line, append(line, line...), line[:10], {}, []byte("x\n")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		events, why := decodeEvents(data)
		if why != nil && events != nil {
			t.Error("both events and a complaint")
		}
		if max := strings.Count(string(data), "\n"); len(events) > max {
			t.Errorf("%d events in %d lines", len(events), max)
		}
	})
}
