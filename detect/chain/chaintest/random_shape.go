package chaintest

import (
	"fmt"
	"slices"
)

// leafNames are what a server's certificate says and what it is asked for.
type leafNames struct {
	cn      string
	dns, ip []string
	host    string
	matches bool
}

// name picks one: every second chain is for Host and asked for it.
func (d *dice) name(r *Random) leafNames {
	all := []leafNames{
		{Host, []string{Host}, nil, "WWW.Good.TEST", true},
		{Host, []string{"WWW.GOOD.test"}, nil, Host, true},
		{Host, []string{"*.good.test"}, nil, Host, true},
		{"x", []string{"*.good.test"}, nil, "a." + Host, false},
		{"x", []string{"*.test"}, nil, "good.test", false},
		{"x", []string{"*.good.test"}, nil, "good.test", false},
		{"x", []string{"w*.good.test"}, nil, Host, false},
		{"x", []string{"*"}, nil, "localhost", false},
		{"x", []string{"other.test", "example.com", Host}, nil, Host, true},
		{"x", []string{"other.test"}, nil, Host, false},
		{Host, []string{"other.test"}, nil, Host, false},
		{Host, nil, nil, Host, false},
		{"*.good.test", nil, nil, Host, false},
		{Host, nil, []string{"127.0.0.1"}, Host, false},
		{"x", nil, []string{"127.0.0.1"}, "127.0.0.1", true},
		{"x", []string{Host}, []string{"127.0.0.2"}, "127.0.0.1", false},
		{"x", []string{"127.0.0.1"}, nil, "127.0.0.1", false},
		{"127.0.0.1", nil, nil, "127.0.0.1", false},
		{"127.0.0.1", []string{Host}, nil, "127.0.0.1", false},
		{"x", []string{"xn--bcher-kva.test"}, nil, "xn--bcher-kva.test", true},
		{"x", []string{"*.xn--bcher-kva.test"}, nil, "www.xn--bcher-kva.test", true},
		{"x", []string{"*.good.test"}, nil, "xn--bcher-kva.good.test", true},
		{"x", []string{"under_score.good.test"}, nil, "under_score.good.test", true},
		{"x", nil, nil, Host, false},
	}
	n := leafNames{Host, []string{Host}, nil, Host, true}
	if d.IntN(2) == 0 {
		n = all[d.IntN(len(all))]
		d.say("CN %s, DNS %v, IP %v, asked for %s", n.cn, n.dns, n.ip, n.host)
	}
	r.Host, r.Names, r.Matches = n.host, n.dns, n.matches
	return n
}

// trust fills the trust store.
func (d *dice) trust(r *Random, path []*Made) {
	root := path[len(path)-1]
	switch d.IntN(16) {
	case 0:
		d.say("the root is not trusted")
		r.Put = append(r.Put, "server-private-ca")
	case 1:
		d.say("only the leaf is trusted")
		r.Trusted, r.Plain = append(r.Trusted, path[0]), false
	case 2, 3:
		at := d.IntN(len(path)-2) + 1
		d.say("%s is trusted too", path[at].Subject)
		r.Trusted, r.Plain = append(r.Trusted, path[at], root), false
	case 4:
		at := d.IntN(len(path)-2) + 1
		d.say("only %s is trusted", path[at].Subject)
		r.Trusted, r.Plain = append(r.Trusted, path[at]), false
	default:
		r.Trusted = append(r.Trusted, root)
	}
	if d.one(8, "a namesake of the root is trusted") {
		r.Trusted, r.Plain = append(r.Trusted, d.make(&Made{Subject: root.Subject, Holder: d.key(0), PathLen: -1}, nil, nil, nil)), false
	}
	if len(r.Trusted) == 0 || d.one(4, "") {
		r.Trusted = append(r.Trusted, d.make(&Made{Subject: "Unrelated Root", Holder: d.key(0), PathLen: -1}, nil, nil, nil))
	}
	d.Shuffle(len(r.Trusted), func(i, k int) { r.Trusted[i], r.Trusted[k] = r.Trusted[k], r.Trusted[i] })
}

// more are other certificates of the path's CAs: cross-signs, renewals, and
// namesakes.
func (d *dice) more(r *Random, path []*Made) []*Made {
	var out []*Made
	for _, ca := range path[1:] {
		if d.IntN(3) > 0 {
			continue
		}
		r.Plain = false
		twin := func() *Made { return &Made{Subject: ca.Subject, Holder: ca.Holder, PathLen: -1} }
		issuer := ca // where the twin of a root is its renewal
		for _, p := range path {
			if p.Subject == ca.Issuer && p.Holder == ca.Signer {
				issuer = p
			}
		}
		if issuer == ca {
			issuer = nil
		}
		switch k := d.IntN(5); k {
		case 0, 1:
			f := put[d.IntN(len(put))]
			for f.id == "weak-key" || f.id == "bad-signature" { // the key is the other's too; and a forged one proves nothing
				f = put[d.IntN(len(put))]
			}
			var faults []string
			if d.IntN(3) > 0 {
				faults = []string{f.id}
			}
			d.say("%s once more %v", ca.Subject, faults)
			out = append(out, d.make(twin(), issuer, faults, nil))
		case 2:
			d.say("a namesake of %s", ca.Subject)
			out = append(out, d.make(&Made{Subject: ca.Subject, Holder: d.key(0), PathLen: -1}, issuer, nil, nil))
		default:
			old := []string(nil)
			if d.IntN(2) == 0 {
				old = []string{"server-expired"}
			}
			other := d.make(&Made{Subject: "Cross " + ca.Subject, Holder: d.key(0), PathLen: -1}, nil, old, nil)
			out = append(out, d.make(twin(), other, nil, nil))
			d.say("%s signed by another root %v", ca.Subject, old)
			if d.one(2, "that is trusted") {
				r.Trusted = append(r.Trusted, other)
			}
			if d.one(4, "that is sent") {
				out = append(out, other)
			}
		}
	}
	return out
}

// show says what the server sends, and how.
func (d *dice) show(r *Random, path, more []*Made) {
	leaf, cas := path[0], slices.Clone(path[1:len(path)-1])
	if len(cas) > 0 && d.one(10, "one is not sent") {
		at := d.IntN(len(cas))
		cas, r.Plain = slices.Delete(cas, at, at+1), false
	}
	for _, m := range more {
		at := d.IntN(len(cas) + 1)
		cas = slices.Insert(cas, at, m)
	}
	if d.one(4, "the root is sent") {
		cas = append(cas, path[len(path)-1])
	}
	if d.one(6, "junk is sent") {
		junk := d.make(&Made{Subject: fmt.Sprintf("Junk %d", d.IntN(9)), Holder: d.key(0), PathLen: -1}, nil, nil, nil)
		cas = slices.Insert(cas, d.IntN(len(cas)+1), junk)
	}
	if len(cas) > 0 && d.one(6, "one is sent twice") {
		cas = append(cas, cas[d.IntN(len(cas))])
	}
	if d.one(12, "the leaf is sent twice") {
		cas = append(cas, leaf)
	}
	if d.one(3, "in any order") {
		d.Shuffle(len(cas), func(i, k int) { cas[i], cas[k] = cas[k], cas[i] })
	}
	r.Shown = append([]*Made{leaf}, cas...)
}
