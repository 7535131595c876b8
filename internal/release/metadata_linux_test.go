package release

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"trustfix/platform"
)

// §1.4: owner and attributes stay; what gives rights is refused, not copied.
func TestOwnerAndAttributesStay(t *testing.T) {
	m := newMachine(t)
	const name = "user.trustfix.test"
	if err := syscall.Setxattr(m.path, name, []byte("kept"), 0); err != nil && !errors.Is(err, syscall.ENOTSUP) {
		t.Fatal(err)
	} else if err != nil {
		t.Log("this file system has no attributes:", err)
	} else {
		t.Cleanup(func() {
			for _, file := range []string{m.path, m.path + ".prev"} {
				value := make([]byte, 10)
				if n, err := syscall.Getxattr(file, name, value); err != nil || string(value[:max(n, 0)]) != "kept" {
					t.Errorf("%s: %q, %v", file, value[:max(n, 0)], err)
				}
			}
		})
	}
	if os.Geteuid() == 0 { // the group: another owner would make it untrusted
		if err := os.Chown(m.path, 0, 4242); err != nil {
			t.Fatal(err)
		}
	}
	m.serve("/", plain(t, m.key, "1.2.0"))
	m.installed("1.2.0")
	info, err := os.Stat(m.path)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 && st.Gid != 4242 {
		t.Errorf("group %d", st.Gid)
	}
}

// A file with capabilities is a program with rights of its own.
func TestCapabilitiesAreRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives capabilities")
	}
	m := newMachine(t)
	// cap_net_bind_service=ep, as setcap writes it.
	if err := syscall.Setxattr(m.path, "security.capability", []byte("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0); err != nil {
		t.Skip("this file system has no capabilities:", err)
	}
	m.serve("/", plain(t, m.key, "1.2.0"))
	if _, err := m.update(); !errors.Is(err, platform.ErrPrivileged) {
		t.Error(err)
	}
}
