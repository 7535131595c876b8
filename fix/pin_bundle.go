package fix

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"slices"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/detect/client"
)

const referenceBase = "reference roots"

// besides is the base of a pin that a client reads besides its own roots.
const besides = "the client's own roots"

// bundle is the new content of a pin: the client's present public roots, what
// an earlier pin holds for other hosts, and what these hosts need. A client
// that reads the file besides its own roots gets the public ones as well: the
// setting is shared with older versions, for which the file is all there is.
func (j *pinJob) bundle(in *Input) ([]byte, error) {
	old, oldCerts := readPin(in, j.pin)
	p := detect.Pin{Client: j.name, Hosts: j.hosts(), Was: j.was}
	if old.Path != "" {
		p.Was = old.Was
	}
	base, opaque := j.base(in, &p, old, oldCerts)
	var certs []*x509.Certificate
	pin := func(c *x509.Certificate, hosts ...string) {
		fp := bundles.Fingerprint(c.Raw)
		if slices.ContainsFunc(base, isPrint(fp)) {
			return
		}
		i := slices.IndexFunc(p.Pinned, func(o detect.PinnedCert) bool { return o.SHA256 == fp })
		if i < 0 {
			i = len(p.Pinned)
			p.Pinned = append(p.Pinned, detect.PinnedCert{SHA256: fp, Until: c.NotAfter, Name: bundles.Name(c)})
		}
		certs = append(certs, c)
		for _, h := range hosts {
			if !slices.Contains(p.Pinned[i].Hosts, h) {
				p.Pinned[i].Hosts = append(p.Pinned[i].Hosts, h)
			}
		}
	}
	for _, h := range old.Hosts {
		if !slices.Contains(p.Hosts, h) {
			p.Hosts = append(p.Hosts, h)
		}
	}
	slices.Sort(p.Hosts)
	for _, o := range old.Pinned {
		others := slices.DeleteFunc(slices.Clone(o.Hosts), func(h string) bool { return slices.Contains(j.hosts(), h) })
		if i := slices.IndexFunc(oldCerts, isPrint(o.SHA256)); i >= 0 && len(others) > 0 {
			pin(oldCerts[i], others...)
		}
	}
	for _, n := range j.needs {
		for _, c := range n.certs {
			pin(c, n.endpoint.Name())
		}
	}
	if j.adds { // the rest is in the client already
		base, opaque, p.Base = nil, nil, besides
		if name := cmp.Or(j.wasPath, p.Was); name != "" && name != j.pin {
			base, opaque = freshBase(in, detect.Pin{Base: name})
			p.Base = name
		} else if p.Was != "" {
			base, opaque = freshBase(in, old)
			p.Base = old.Base
		}
	}
	return render(p, base, opaque, certs, j.store)
}

// base is the public roots that a pin starts from.
func (j *pinJob) base(in *Input, p *detect.Pin, old detect.Pin, oldCerts []*x509.Certificate) (certs []*x509.Certificate, opaque [][]byte) {
	for _, c := range j.clients {
		name, found, odd := detect.SourceOf(in.View, in.Report, c)
		if name == j.pin {
			// What it was made from may have been brought up to date since.
			fresh, opaque := freshBase(in, old)
			if name = old.Base; len(fresh) == 0 {
				fresh = withoutPinned(old, oldCerts)
			}
			found, odd = append(found, fresh...), append(odd, opaque...)
		}
		if len(found) > len(certs) {
			p.Base, certs, opaque = cmp.Or(name, referenceBase), found, odd
		}
	}
	if len(certs) > 0 {
		return certs, opaque
	}
	p.Base = referenceBase
	if refs := in.Report.Options.Refs; refs != nil {
		for _, r := range refs.All() {
			certs = append(certs, r.Cert)
		}
	}
	return certs, nil
}

// freshBase reads the file that an earlier pin was made from again.
func freshBase(in *Input, old detect.Pin) ([]*x509.Certificate, [][]byte) {
	data, err := in.Files.ReadFile(old.Base)
	if err != nil {
		return nil, nil
	}
	if bundles.IsKeyStore(data) {
		store, _ := bundles.ReadKeyStore(data, "") // none where it cannot be read: then what the pin holds stays
		return store.Certs, store.Opaque
	}
	c := bundles.Read(data)
	if c.Fatal() != nil {
		return nil, nil
	}
	return plain(c), c.Opaque
}

func plain(c bundles.Content) []*x509.Certificate {
	out := make([]*x509.Certificate, len(c.Certs))
	for i := range c.Certs {
		out[i] = c.Certs[i].Certificate
	}
	return out
}

// withoutPinned is the public part of a pin.
func withoutPinned(p detect.Pin, certs []*x509.Certificate) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range certs {
		fp := bundles.Fingerprint(c.Raw)
		if !slices.ContainsFunc(p.Pinned, func(o detect.PinnedCert) bool { return o.SHA256 == fp }) {
			out = append(out, c)
		}
	}
	return out
}

func isPrint(fp string) func(*x509.Certificate) bool {
	return func(c *x509.Certificate) bool { return bundles.Fingerprint(c.Raw) == fp }
}

// readPin reads the pin that stands at name, if there is one, and its
// certificates in their order.
func readPin(in *Input, name string) (detect.Pin, []*x509.Certificate) {
	data, err := in.Files.ReadFile(name)
	if err != nil {
		return detect.Pin{}, nil
	}
	p, ok := detect.ReadPin(name, data)
	if !ok {
		return detect.Pin{}, nil
	}
	if bundles.IsKeyStore(data) {
		store, _ := bundles.ReadKeyStore(data, "") // ReadPin has read it
		return p, store.Certs
	}
	return p, plain(bundles.Read(data))
}

// render writes a pin: what it says about itself, what was pinned, the roots.
// A key store is for Java; nil: PEM.
func render(p detect.Pin, base []*x509.Certificate, opaque [][]byte, certs []*x509.Certificate, store *client.KeyStore) ([]byte, error) {
	var all []*x509.Certificate
	for _, c := range p.Pinned {
		if i := slices.IndexFunc(certs, isPrint(c.SHA256)); i >= 0 {
			all = append(all, certs[i])
		}
	}
	if store != nil {
		return keyStore(p.Alias(), append(all, base...), opaque, store)
	}
	var b bytes.Buffer
	b.WriteString(p.Header())
	b.Write(bundles.Assemble(nil, append(all, base...)...))
	for _, der := range opaque {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // a Buffer takes everything
	}
	return b.Bytes(), nil
}
