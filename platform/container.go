package platform

import (
	"bytes"
	"strings"
)

// detectContainer names the container that this is, or "". A tree that is not
// running (rooted) has only its marker files.
func detectContainer(files Files, env Env, rooted bool) string {
	exists := func(name string) bool { _, err := files.Stat(name); return err == nil }
	read := func(name string) string {
		b, _ := files.ReadFile(name)
		return strings.TrimSpace(string(b))
	}
	if !rooted {
		if env["KUBERNETES_SERVICE_HOST"] != "" || exists("/var/run/secrets/kubernetes.io/serviceaccount") {
			return "kubernetes"
		}
	}
	// systemd writes the name it knows here; lxc and nspawn set it themselves.
	if s := read("/run/systemd/container"); s != "" {
		return containerName(s)
	}
	if exists("/run/.containerenv") || exists("/.containerenv") {
		return "podman"
	}
	if exists("/.dockerenv") {
		return "docker"
	}
	if rooted {
		return ""
	}
	if s := env["container"]; s != "" {
		return containerName(s)
	}
	if init, err := files.ReadFile("/proc/1/environ"); err == nil {
		for v := range bytes.SplitSeq(init, []byte{0}) {
			if s, ok := strings.CutPrefix(string(v), "container="); ok && s != "" {
				return containerName(s)
			}
		}
	}
	if env["WSL_DISTRO_NAME"] != "" || strings.Contains(strings.ToLower(read("/proc/sys/kernel/osrelease")), "microsoft") {
		return "wsl"
	}
	cgroup := read("/proc/1/cgroup")
	for _, c := range []struct{ mark, name string }{
		{"/kubepods", "kubernetes"},
		{"/docker/", "docker"},
		{"/docker-", "docker"},
		{"/libpod-", "podman"},
		{"/lxc/", "lxc"},
		{"/machine.slice/machine-", "systemd-nspawn"},
	} {
		if strings.Contains(cgroup, c.mark) {
			return c.name
		}
	}
	return ""
}

func containerName(s string) string {
	switch s = strings.ToLower(s); {
	case strings.HasPrefix(s, "lxc"):
		return "lxc"
	case s == "oci" || s == "docker":
		return "docker"
	}
	return s
}
