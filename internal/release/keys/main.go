// Keys prints a document with its section of release keys filled in: what
// stands between the two comments <!-- release-keys --> and
// <!-- /release-keys -->. It is a tool of the release job (scripts/keys.sh) and
// no part of trustfix; it must not make a key up: without any it says so.
//
//	go run ./internal/release/keys -keys CURRENT,NEXT FILE
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"trustfix/internal/release"
	"trustfix/platform"
)

const (
	begins = "<!-- release-keys -->\n"
	ends   = "<!-- /release-keys -->"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "keys:", err)
		os.Exit(1)
	}
}

func run() error {
	list := flag.String("keys", "", "minisign public keys, base64, separated by commas, the current one first")
	flag.Parse()
	if flag.NArg() != 1 {
		return errors.New("one document, please")
	}
	keys, err := release.ParseKeys(*list)
	if err != nil {
		return err
	}
	data, err := platform.ReadInput(flag.Arg(0), nil)
	if err != nil {
		return err
	}
	filled, err := fill(string(data), keys, strings.HasSuffix(flag.Arg(0), ".zh-CN.md"))
	if err != nil {
		return fmt.Errorf("%s: %w", flag.Arg(0), err)
	}
	fmt.Print(filled)
	return nil
}

// fill writes the keys into the one section of a document.
func fill(doc string, keys release.Keys, chinese bool) (string, error) {
	before, rest, found := strings.Cut(doc, begins)
	_, after, closed := strings.Cut(rest, ends)
	if !found || !closed || strings.Contains(after, begins) {
		return "", errors.New("not exactly one section of release keys")
	}
	return before + begins + section(keys, chinese) + ends + after, nil
}

// section is the list of keys in the language of the document.
func section(keys release.Keys, chinese bool) string {
	none, current, next := "No release has been made yet, so there is no key.", "current", "next"
	if chinese {
		none, current, next = "尚未发布任何版本，因此还没有密钥。", "当前", "下一个"
	}
	if len(keys) == 0 {
		return none + "\n"
	}
	var b strings.Builder
	for i, k := range keys.Infos() {
		role := next
		if i == 0 {
			role = current
		}
		fmt.Fprintf(&b, "- %s `%s`: `%s`, SHA-256 `%s`\n", role, k.ID, k.Key, k.SHA256)
	}
	return b.String()
}
