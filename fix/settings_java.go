package fix

import (
	"bytes"
	"crypto/x509"
	"path"
	"slices"
	"strings"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/internal/edit"
	"trustfix/internal/text"
	"trustfix/platform"
)

// Java is told of its trust store by a word of a list of options, or by keys
// that belong together: what is done to one is done to all.

// withoutWords takes a setting's word out of a list, with those that go with it.
func withoutWords(s *client.Setting, data []byte) ([]byte, error) {
	for _, w := range append([]string{s.Word}, s.Also...) {
		e, ok, err := entryWith(s, data, w)
		if err == nil && ok {
			data, err = edit.RemoveItem(s.Format, data, e, w)
		}
		if err != nil {
			return nil, err
		}
	}
	// What is left says nothing: NAME="$NAME".
	name := "$" + s.Entry.Path[len(s.Entry.Path)-1]
	if e, ok, err := entryWith(s, data, name); err == nil && ok && e.Value == name {
		return edit.Delete(s.Format, data, e)
	}
	return data, nil
}

// entryWith finds the setting's entry as long as it holds a word.
func entryWith(s *client.Setting, data []byte, word string) (best edit.Entry, ok bool, err error) {
	entries, err := edit.Parse(s.Format, data)
	for _, e := range entries {
		if slices.Equal(e.Path, s.Entry.Path) && slices.Contains(strings.Fields(e.Value), word) && (!ok || distance(e, s.Entry) < distance(best, s.Entry)) {
			best, ok = e, true
		}
	}
	return best, ok, err
}

// withoutKeys takes the keys out that say how a store is opened, which is gone
// itself: Java would open its default one with them.
func withoutKeys(s *client.Setting, data []byte) ([]byte, error) {
	entries, err := edit.Parse(s.Format, data)
	for _, e := range slices.Backward(entries) {
		if len(e.Path) == 1 && slices.Contains([]string{"Password", "Type", "Provider"}, strings.TrimPrefix(e.Path[0], s.Name)) && err == nil {
			data, err = edit.Delete(s.Format, data, e)
		}
	}
	return data, err
}

// withWord adds the word that names the pin to the list of options that a
// site's key is, behind what the environment or the file says already.
func withWord(s site, data []byte) ([]byte, error) {
	entries, err := edit.Parse(s.format, data)
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Backward(entries) {
		if slices.Equal(e.Path, s.key) {
			return edit.Set(s.format, data, e, strings.TrimSpace(e.Value+" "+s.word+s.pin))
		}
	}
	return edit.Add(s.format, data, s.key, "$"+s.key[0]+" "+s.word+s.pin)
}

// naming is an entry's value when the setting names another bundle.
func naming(s *client.Setting, e edit.Entry, bundle string) string {
	if s.Word == "" {
		return bundle
	}
	return strings.Replace(e.Value, s.Word, strings.TrimSuffix(s.Word, s.Value)+bundle, 1)
}

// completeStore is completeBundle for a Java key store: the same anchors and
// the public roots, under the same password.
func completeStore(in *Input, fs []detect.Finding) ([]Action, error) {
	s := fs[0].Setting
	data, err := in.Files.ReadFile(s.Path)
	if err != nil {
		return nil, err
	}
	private, err := s.KeyStore.Open(data)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(completeName(in, s), path.Ext(bundleExt)) + storeExt
	if strings.ContainsAny(name, " \t") && s.Word != "" {
		return nil, byHand(fs[0])
	}
	before, err := in.Files.Snapshot(name)
	if err != nil {
		return nil, err
	}
	head := detect.EscapeAlias(strings.TrimPrefix(bundleHead, "# ") + s.Path + "; made by trustfix")
	if before.Kind != platform.Absent && !bytes.Contains(before.Data, []byte(head)) {
		return nil, &Manual{
			Why: text.M("repair-ca-path.taken", "file", name),
			Do:  text.M("repair-ca-path.taken-do", "file", name, "from", s.Path),
		}
	}
	store, err := keyStore(head, append(private.Certs, publicRoots(in)...), private.Opaque, s.KeyStore)
	if err != nil {
		return nil, err
	}
	point, err := pointSettings(in, fs, name)
	if err != nil {
		return nil, err
	}
	return []Action{{
		Kind: FileAction, Target: name, Before: before, After: platform.Image{Kind: platform.File, Mode: 0o644, Data: store},
		Summary: text.M("repair-ca-path.bundle", "file", name, "from", s.Path),
	}, point}, nil
}

// The endings of bundles that trustfix writes.
const (
	bundleExt = ".pem"
	storeExt  = ".jks"
)

// keyStore writes anchors as a JKS file, each once; what it is stands in the
// name of the first.
func keyStore(head string, certs []*x509.Certificate, opaque [][]byte, k *client.KeyStore) ([]byte, error) {
	var entries []bundles.StoreEntry
	seen := map[string]bool{}
	add := func(name string, der []byte) {
		fp := bundles.Fingerprint(der)
		if seen[fp] {
			return
		}
		seen[fp] = true
		alias := detect.EscapeAlias(strings.ToLower(name)) + " " + fp[:16]
		if len(entries) == 0 {
			alias = head
		}
		entries = append(entries, bundles.StoreEntry{Alias: alias, DER: der})
	}
	for _, c := range certs {
		add(bundles.Name(c), c.Raw)
	}
	for _, der := range opaque {
		add("certificate", der)
	}
	password := ""
	if k != nil {
		password = k.Password
	}
	return bundles.WriteKeyStore(entries, password)
}
