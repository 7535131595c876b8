package detect

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strconv"
	"strings"
	"testing"

	"trustfix/detect/client"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// newKeyPEM is a private key of nobody's, as openssl writes it.
func newKeyPEM(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Row 22 of reliability.md §6: a private key among trusted certificates is a
// finding where somebody can take it out, and is shown nowhere.
func TestPrivateKeyInBundle(t *testing.T) {
	key := newKeyPEM(t)
	secret := strings.Split(key, "\n")[1]
	d := newDebian(t, 3)
	corp := platformtest.Root(t, "Corp")
	anchor := localDir + "corp.crt"
	d.files[anchor] = platformtest.PEM(corp) + key
	d.files[bundleFile] += platformtest.PEM(corp) + key // as update-ca-certificates copies it
	d.index(corp, anchor)
	d.files["/opt/own.pem"] = key + platformtest.PEM(d.roots...)
	d.files["/opt/closed.pem"] = key + platformtest.PEM(d.roots...)
	d.files["/opt/clean.pem"] = platformtest.PEM(d.roots...)
	d.files["/opt/client.pem"] = platformtest.PEM(corp) + key
	d.extra = append(d.extra, "mode 0600 /opt/closed.pem")
	h := d.make(t)
	r := storeReport(h.View, d.refs())
	r.Inventory.Bundles = client.NewBundles(h.Files)
	for _, p := range []string{"/opt/own.pem", "/opt/own.pem", "/opt/closed.pem", "/opt/clean.pem", bundleFile, "/opt/gone.pem", "/opt/client.pem"} {
		r.Inventory.Settings = append(r.Inventory.Settings, &client.Setting{
			Client: "pip", Name: "cert", Role: client.RoleCA, Value: p, Path: p, File: "/etc/pip.conf",
		})
	}
	r.Inventory.Settings = append(r.Inventory.Settings, &client.Setting{Client: "pip", Name: "client-cert", Role: client.RoleCert, Path: "/opt/client.pem"})
	fs, err := clientKeyExposed(t.Context(), h.View, r)
	if err != nil {
		t.Fatal(err)
	}
	want := "client-key-exposed error /opt/client.pem auto protect-key\nclient-key-exposed error " + anchor + ":" + lineOf(d.files[anchor]) +
		" manual\nclient-key-exposed error /opt/own.pem:1 manual"
	if got := briefly(fs); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(r.Stores) == 0 || r.Stores[0].Status != StoreOK {
		t.Errorf("programs ignore the key, so the store works: %+v", r.Stores[0].Status)
	}
	for _, f := range fs {
		said := f.Summary.String()
		for _, m := range append(f.Evidence, f.Advice...) {
			said += m.String()
		}
		if strings.Contains(said, secret) {
			t.Errorf("the key is shown: %s", said)
		}
		if f.Fix == "" && (f.Action != Manual || !strings.Contains(said, "others can read") || !strings.Contains(said, "move it")) {
			t.Errorf("%+v", f)
		}
	}
	// Without the administrator's file the bundle itself is the place.
	d.without(anchor)
	h = d.make(t)
	fs = keysInBundles(h.View, storeReport(h.View, d.refs()))
	if got, want := briefly(fs), "client-key-exposed error "+bundleFile+":"+lineOf(d.files[bundleFile])+" manual"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	v := *h.View
	v.OS = "windows"
	if fs := keysInBundles(&v, storeReport(h.View, d.refs())); len(fs) > 0 {
		t.Errorf("modes say nothing on Windows: %s", briefly(fs))
	}
}

// lineOf is the line of the private key in a file.
func lineOf(file string) string {
	before, _, _ := strings.Cut(file, "-----BEGIN PRIVATE")
	return strconv.Itoa(1 + strings.Count(before, "\n"))
}

// Row 23: roots that are too weak are said, all in one note, and taken out by
// people only.
func TestStoreWeakRoots(t *testing.T) {
	d := newDebian(t, 3)
	old, err := x509.ParseCertificate(newCA(t, "Corp", nil).LeafFor(t, weakRSA(t), "Old Corp Root"))
	if err != nil {
		t.Fatal(err)
	}
	d.files[localDir+"old.crt"] = platformtest.PEM(old)
	d.files[bundleFile] += platformtest.PEM(old)
	d.index(old, localDir+"old.crt")
	h := d.make(t)
	fs := storeFindings(t, h.View, storeReport(h.View, d.refs()))
	if got, want := briefly(fs), "store-compromised-root info "+bundleFile+" manual"; got != want {
		t.Fatalf("got %s", got)
	}
	if e := fs[0].Evidence; len(e) != 1 || !strings.HasPrefix(e[0].String(), "RSA 1024: Old Corp Root") {
		t.Errorf("evidence %v", e)
	}
}

// A user's settings may name any file; its mode is its owner's to change.
func TestKeyOfAnother(t *testing.T) {
	key := newKeyPEM(t)
	for _, tc := range []struct {
		name, owned string
		want        string
	}{
		{"the user's own", "/home/lin", "auto protect-key"},
		{"root's, named by a user", "/home/lin/.config", "manual"},
	} {
		h := platformtest.New(t, "-- home/lin/app.key --\n"+key+"-- home/lin/.config/pip.conf --\n", platformtest.OS("linux"))
		h.User = platform.User{Name: "lin", UID: 1000, GID: 1000, Home: "/home/lin"}
		h.Files = owned{Files: h.Files, dir: tc.owned, uid: 1000, gid: 1000, mode: 0o004}
		r := &Report{}
		r.Inventory.Settings = []*client.Setting{{
			Client: "pip", Name: "client-cert", Role: client.RoleCert, Path: "/home/lin/app.key", File: "/home/lin/.config/pip.conf",
		}}
		fs, err := clientKeyExposed(t.Context(), h.View, r)
		if err != nil || len(fs) != 1 || strings.TrimSpace(string(fs[0].Action)+" "+fs[0].Fix) != tc.want {
			t.Errorf("%s: %v %+v", tc.name, err, fs)
		}
	}
}
