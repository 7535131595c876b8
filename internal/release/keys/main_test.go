package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trustfix/internal/release"
)

// Two throw-away keys.
const pair = "RWRh1tfUT8yphUeDz23naPE4Z8azu8bAWp/UfIB6rfLA1FgU9+KiWTOn,RWQs1BdYsN66gWOhrJbxoSHY0rXSivOsHSXr3JO4vc/rBmVOMtcUHUKU"

func TestFill(t *testing.T) {
	keys, err := release.ParseKeys(pair)
	if err != nil {
		t.Fatal(err)
	}
	const old = "before\n" + begins + "anything\n" + ends + "\nafter\n"
	got, err := fill(old, keys, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range strings.Split(pair, ",") {
		raw, err := base64.StdEncoding.DecodeString(one)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{one, fmt.Sprintf("%x", sha256.Sum256(raw)), keys.IDs()[i]} {
			if !strings.Contains(got, "`"+want+"`") {
				t.Errorf("%s is not in\n%s", want, got)
			}
		}
	}
	if !strings.HasPrefix(got, "before\n"+begins+"- current `") || !strings.HasSuffix(got, "\n"+ends+"\nafter\n") {
		t.Errorf("%s", got)
	}
	if again, err := fill(got, keys, false); err != nil || again != got {
		t.Errorf("filled twice: %v\n%s", err, again)
	}
	if none, err := fill(got, nil, false); err != nil || !strings.Contains(none, "no key") || strings.Contains(none, "RW") {
		t.Errorf("%v\n%s", err, none)
	}
	for _, bad := range []string{"", begins, ends + begins, old + old} {
		if _, err := fill(bad, keys, false); err == nil {
			t.Errorf("%q was filled", bad)
		}
	}
}

// The documents have the section, and it shows no key of anybody's making: it
// is what the tool writes for the keys that stand in it, the same in each.
func TestDocuments(t *testing.T) {
	shown := regexp.MustCompile("`(RW[0-9A-Za-z+/=]{54})`")
	var first string
	for i, name := range []string{"README.md", "README.zh-CN.md", "SECURITY.md"} {
		data, err := os.ReadFile(filepath.Join("../../..", name))
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, m := range shown.FindAllStringSubmatch(string(data), -1) {
			list = append(list, m[1])
		}
		all := strings.Join(list, ",")
		if i == 0 {
			first = all
		}
		keys, err := release.ParseKeys(all)
		if err != nil || all != first {
			t.Fatalf("%s shows the keys %q, README.md %q: %v", name, all, first, err)
		}
		if want, err := fill(string(data), keys, strings.HasSuffix(name, ".zh-CN.md")); err != nil || want != string(data) {
			t.Errorf("%s: run scripts/keys.sh: %v", name, err)
		}
	}
}
