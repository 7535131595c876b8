package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files makes a tree on any system: "name" or "name=content".
func files(t testing.TB, entries ...string) Files {
	t.Helper()
	root := t.TempDir()
	for _, e := range entries {
		name, content, _ := strings.Cut(e, "=")
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(content, "->"); ok {
			if err := os.Symlink(target, full); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tr, err := openTree(root, os.Geteuid())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.top.close)
	return tr
}

func TestDetectDistro(t *testing.T) {
	const osr = "etc/os-release="
	for _, c := range []struct {
		name            string
		files           []string
		id, version     string
		family          Family
		managed         string
		like, codenamed string
	}{
		{"Debian 12", []string{osr + "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"}, "debian", "12", Debian, "", "", "bookworm"},
		{"Debian sid has no version", []string{osr + "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux forky/sid\"\n"}, "debian", "", Debian, "", "", ""},
		{"Ubuntu", []string{osr + "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n"}, "ubuntu", "24.04", Debian, "", "debian", ""},
		{"Mint", []string{osr + "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"21.3\"\n"}, "linuxmint", "21.3", Debian, "", "ubuntu debian", ""},
		{"Kali", []string{osr + "ID=kali\nID_LIKE=debian\nVERSION_ID=\"2024.1\"\n"}, "kali", "2024.1", Debian, "", "debian", ""},
		{"Deepin writes a capital", []string{osr + "ID=Deepin\nVERSION_ID=\"20.9\"\n"}, "deepin", "20.9", Debian, "", "", ""},
		{"RHEL 9", []string{osr + "ID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.4\"\n"}, "rhel", "9.4", RedHat, "", "fedora", ""},
		{"CentOS 7", []string{osr + "ID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"7\"\n"}, "centos", "7", RedHat, "", "rhel fedora", ""},
		{"CentOS 6 has no os-release", []string{"etc/redhat-release=CentOS release 6.10 (Final)\n", "etc/pki/ca-trust/x"}, "centos", "6.10", RedHat, "", "", ""},
		{"Rocky", []string{osr + "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.3\"\n"}, "rocky", "9.3", RedHat, "", "rhel centos fedora", ""},
		{"Oracle 7.4 without ID_LIKE", []string{osr + "ID=\"ol\"\nVERSION_ID=\"7.4\"\n"}, "ol", "7.4", RedHat, "", "", ""},
		{"Amazon 2023", []string{osr + "ID=\"amzn\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"2023\"\n"}, "amzn", "2023", RedHat, "", "fedora", ""},
		{"Silverblue", []string{osr + "ID=fedora\nVERSION_ID=41\nVARIANT_ID=silverblue\n", "run/ostree-booted"}, "fedora", "41", RedHat, "ostree", "", ""},
		{"openEuler", []string{osr + "ID=\"openEuler\"\nVERSION_ID=\"22.03\"\n"}, "openeuler", "22.03", RedHat, "", "", ""},
		{"Anolis 23 without ID_LIKE", []string{osr + "ID=\"anolis\"\nVERSION_ID=\"23\"\n"}, "anolis", "23", RedHat, "", "", ""},
		{"HCE", []string{osr + "ID=\"hce\"\nVERSION_ID=\"2.0\"\n"}, "hce", "2.0", RedHat, "", "", ""},
		{"TencentOS", []string{osr + "ID=\"tencentos\"\nID_LIKE=\"tencentos\"\nVERSION_ID=\"4.2\"\n"}, "tencentos", "4.2", RedHat, "", "tencentos", ""},
		{"Kylin Server", []string{osr + "ID=\"kylin\"\nVERSION_ID=\"V10\"\n"}, "kylin", "V10", RedHat, "", "", ""},
		{"Kylin Server by layout", []string{osr + "ID=kylin\nVERSION_ID=\"11\"\n", "etc/pki/ca-trust/source/anchors/x"}, "kylin", "11", RedHat, "", "", ""},
		{"Kylin Desktop", []string{osr + "ID=kylin\nID_LIKE=debian\nVERSION_ID=\"v10\"\n"}, "kylin", "v10", Debian, "", "debian", ""},
		{"Kylin Desktop by dpkg", []string{osr + "ID=kylin\nVERSION_ID=\"V10\"\n", "var/lib/dpkg/status"}, "kylin", "V10", Debian, "", "", ""},
		{"UOS Desktop", []string{osr + "ID=uos\nVERSION_ID=\"20\"\nVERSION_CODENAME=eagle\n"}, "uos", "20", Debian, "", "", "eagle"},
		{"UOS Server", []string{osr + "ID=\"UOS\"\nVERSION_ID=\"20\"\nVERSION_CODENAME=kongzi\nPLATFORM_ID=\"platform:uel20\"\n"}, "uos", "20", RedHat, "", "", "kongzi"},
		{"Alpine", []string{osr + "ID=alpine\nVERSION_ID=3.20.3\n", "lib/apk/db/installed"}, "alpine", "3.20.3", Alpine, "", "", ""},
		{"Wolfi", []string{osr + "ID=wolfi\nVERSION_ID=\"20230201\"\n"}, "wolfi", "20230201", Alpine, "", "", ""},
		{"Leap", []string{osr + "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"15.6\"\n"}, "opensuse-leap", "15.6", SUSE, "", "suse opensuse", ""},
		{"SLES 12 without ID_LIKE", []string{osr + "ID=\"sles\"\nVERSION_ID=\"12.5\"\n"}, "sles", "12.5", SUSE, "", "", ""},
		{"SL Micro", []string{osr + "ID=\"sl-micro\"\nID_LIKE=\"suse\"\nVERSION_ID=\"6.0\"\n"}, "sl-micro", "6.0", SUSE, "transactional", "suse", ""},
		{"Arch", []string{osr + "ID=arch\nBUILD_ID=rolling\n", "etc/ca-certificates/extracted/x"}, "arch", "", Arch, "", "", ""},
		{"CachyOS", []string{osr + "ID=cachyos\n"}, "cachyos", "", Arch, "", "", ""},
		{"Photon", []string{osr + "ID=photon\nVERSION_ID=5.0\n", "usr/bin/rpm"}, "photon", "5.0", Photon, "", "", ""},
		{"NixOS", []string{osr + "ID=nixos\nID_LIKE=\"\"\nVERSION_ID=\"25.05\"\n", "etc/NIXOS"}, "nixos", "25.05", NixOS, "nixos", "", ""},
		{"Guix", []string{"gnu/store/x/ca.crt", "etc/ssl/certs/ca-certificates.crt=->/gnu/store/x/ca.crt"}, "", "", Unknown, "guix", "", ""},
		{"Flatcar", []string{osr + "ID=flatcar\nID_LIKE=coreos\nVERSION_ID=3815.2.0\n"}, "flatcar", "3815.2.0", Flatcar, "flatcar", "coreos", ""},
		{"Void", []string{osr + "ID=\"void\"\n", "usr/bin/xbps-install"}, "void", "", Void, "", "", ""},
		{"Gentoo", []string{osr + "ID=gentoo\nVERSION_ID=\"2.15\"\n"}, "gentoo", "2.15", Gentoo, "", "", ""},
		{"Azure Linux", []string{osr + "ID=azurelinux\nVERSION_ID=\"3.0\"\n"}, "azurelinux", "3.0", RedHat, "", "", ""},
		{"Mariner", []string{osr + "ID=mariner\nVERSION_ID=\"2.0\"\n"}, "mariner", "2.0", RedHat, "", "", ""},
		{"Bottlerocket", []string{osr + "ID=bottlerocket\nVERSION_ID=1.19\n"}, "bottlerocket", "1.19", Unknown, "bottlerocket", "", ""},
		{"OpenWrt", []string{osr + "ID=\"openwrt\"\nID_LIKE=\"lede openwrt\"\nVERSION_ID=\"23.05\"\n"}, "openwrt", "23.05", Unknown, "", "lede openwrt", ""},
		{"distroless", []string{osr + "ID=\"debian\"\nVERSION_ID=\"12\"\n", "var/lib/dpkg/status.d/base"}, "debian", "12", Debian, "distroless", "", ""},
		{"Termux", []string{"data/data/com.termux/files/usr/bin/sh"}, "termux", "", Termux, "", "", ""},
		{"nothing at all", nil, "", "", Unknown, "", "", ""},
		{"usr/lib only", []string{"usr/lib/os-release=ID=arch\n"}, "arch", "", Arch, "", "", ""},
		{"dangling link", []string{"etc/os-release=->/nowhere/x"}, "", "", Unknown, "", "", ""},
		{"a derivative that names itself freely", []string{osr + "ID=acmeos\nVERSION_ID=1\n", "etc/pki/ca-trust/x", "var/lib/dpkg/status"}, "acmeos", "1", RedHat, "", "", ""},
		{"Fedora layout over a dpkg database", []string{osr + "ID=fedora\nVERSION_ID=42\n", "etc/pki/ca-trust/x", "var/lib/dpkg/status"}, "fedora", "42", RedHat, "", "", ""},
		{"Debian with rpm installed", []string{osr + "ID=debian\nVERSION_ID=\"12\"\n", "usr/bin/rpm", "usr/bin/dpkg"}, "debian", "12", Debian, "", "", ""},
	} {
		d := DetectDistro("linux", files(t, c.files...), Env{})
		if d.ID != c.id || d.Version != c.version || d.Family != c.family || d.Managed != c.managed || strings.Join(d.Like, " ") != c.like || d.Codename != c.codenamed {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
	mac := DetectDistro("darwin", files(t, "System/Library/CoreServices/SystemVersion.plist=<dict>\n<key>ProductVersion</key>\n\t<string>15.1</string></dict>"), nil)
	if mac.Family != Darwin || mac.Version != "15.1" {
		t.Errorf("macOS: %+v", mac)
	}
	if d := DetectDistro("linux", files(t), Env{"PREFIX": "/data/data/com.termux/files/usr"}); d.Family != Termux {
		t.Errorf("Termux by $PREFIX: %+v", d)
	}
}

func TestParseOSRelease(t *testing.T) {
	got := parseOSRelease([]byte("\ufeff# comment\r\nID=debian\r\n NAME = no\nA='single $x \\n'\nB=\"dq \\\"q\\\" \\$ \\x\"\nC=two words\nD=\n1BAD=x\nE=\"open\nID_LIKE=\"\"\nF=a\\ b#c\nG=\"a\"'b'c # d\nID=last\n=x\nH"))
	want := map[string]string{
		"ID": "last", "A": `single $x \n`, "B": `dq "q" $ \x`, "C": "two", "D": "", "E": "open", "ID_LIKE": "", "F": "a b#c", "G": "abc",
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s = %q, want %q", k, got[k], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%q", got)
	}
}

func FuzzOSRelease(f *testing.F) {
	for _, s := range []string{"ID=debian\nVERSION_ID=\"12\"\n", "A='x\n", "B=\"\\", "\xff=\x00", "ID=\"a\\\"b\"'c'\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for k, v := range parseOSRelease([]byte(s)) {
			if !shellName(k) || strings.Contains(v, "\n") || len(v) > len(s) {
				t.Errorf("%q = %q", k, v)
			}
		}
		// What a value says, quoted by the rules, says the same again.
		q := "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		if !strings.ContainsAny(s, "\r\n") && shellUnquote(q) != s {
			t.Errorf("%q came back as %q", s, shellUnquote(q))
		}
	})
}

func TestDetectContainer(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		env   Env
		want  string
	}{
		{"none", nil, nil, ""},
		{"docker", []string{".dockerenv"}, nil, "docker"},
		{"podman", []string{"run/.containerenv"}, nil, "podman"},
		{"podman by env", nil, Env{"container": "podman"}, "podman"},
		{"oci by env", nil, Env{"container": "oci"}, "docker"},
		{"nspawn", []string{"run/systemd/container=systemd-nspawn\n"}, nil, "systemd-nspawn"},
		{"lxc by init", []string{"proc/1/environ=PATH=/bin\x00container=lxc\x00"}, nil, "lxc"},
		{"kubernetes over docker", []string{".dockerenv"}, Env{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"},
		{"kubernetes by cgroup", []string{"proc/1/cgroup=11:x:/kubepods/burstable/pod1\n"}, nil, "kubernetes"},
		{"docker by cgroup", []string{"proc/1/cgroup=11:x:/docker/0123\n"}, nil, "docker"},
		{"wsl", []string{"proc/sys/kernel/osrelease=5.15.90.1-microsoft-standard-WSL2\n"}, nil, "wsl"},
		{"a desktop", []string{"proc/1/cgroup=0::/init.scope\n", "proc/sys/kernel/osrelease=6.1.0-18-amd64\n"}, Env{"HOME": "/root"}, ""},
	} {
		if got := detectContainer(files(t, c.files...), c.env, false); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := detectContainer(files(t, "proc/1/cgroup=11:x:/docker/0123\n"), Env{"container": "lxc"}, true); got != "" {
		t.Errorf("another root says %q of the running system", got)
	}
}
